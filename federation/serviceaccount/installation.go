package serviceaccount

import (
	"cmp"
	"encoding/json"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Installation is what the administrator decided: the chart's values that bear
// on identities. Endpoints to which a token is sent are here and nowhere else;
// no annotation can name one.
type Installation struct {
	// Mode for pods and ServiceAccounts that do not choose; default ModeBroker.
	Mode Mode `json:"mode,omitempty"`
	// TokenExpiration of subject tokens in seconds, 600..86400; default 3600.
	TokenExpiration int64 `json:"tokenExpiration,omitempty"`
	// BrokerPort on the pod's loopback; default 9911.
	BrokerPort int `json:"brokerPort,omitempty"`
	// StaticKeys: what to do about static keys that would win; default StaticKeysWarn.
	StaticKeys StaticKeys `json:"staticKeys,omitempty"`

	AWS   AWSInstallation   `json:"aws,omitzero"`
	GCP   GCPInstallation   `json:"gcp,omitzero"`
	Azure AzureInstallation `json:"azure,omitzero"`
	OIDC  OIDCInstallation  `json:"oidc,omitzero"`
	Kube  KubeInstallation  `json:"kube,omitzero"`

	// Mappings give identities to ServiceAccounts that nobody may annotate. The
	// first that matches counts; anything on the ServiceAccount itself wins.
	Mappings []Mapping `json:"mappings,omitempty"`
}

// Bounds of an installation's numbers, in seconds, ports and characters.
const (
	MinTokenExpiration = 600
	MaxTokenExpiration = 86400
	MinPort            = 1024 // what a container without root may listen on
	MaxPort            = 65535
	MaxAudience        = 4096
)

// AudiencePattern is an audience that an administrator sets: printable ASCII, as URLs are.
// A line break of any kind would end the text in a YAML file.
const AudiencePattern = `^[ -~]*$`

// GlobPattern is a glob (path.Match) that can match a name of Kubernetes.
const GlobPattern = `^([a-z0-9.*?-]|\[\^?([a-z0-9.](-[a-z0-9.])?)+\])+$`

// Defaults of an installation.
const (
	DefaultTokenExpiration = 3600
	DefaultBrokerPort      = 9911
)

// WithDefaults is the installation with what the administrator left out.
func (in Installation) WithDefaults() Installation {
	in.Mode = cmp.Or(in.Mode, ModeBroker)
	in.TokenExpiration = cmp.Or(in.TokenExpiration, DefaultTokenExpiration)
	in.BrokerPort = cmp.Or(in.BrokerPort, DefaultBrokerPort)
	in.StaticKeys = cmp.Or(in.StaticKeys, StaticKeysWarn)
	in.AWS.Partition = cmp.Or(in.AWS.Partition, "aws")
	in.AWS.Audience = cmp.Or(in.AWS.Audience, aws.DefaultAudience)
	in.GCP.GKEAnnotation = cmp.Or(in.GCP.GKEAnnotation, "auto")
	in.Azure.AuthorityHost = cmp.Or(in.Azure.AuthorityHost, azure.DefaultAuthorityHost)
	in.Azure.Audience = cmp.Or(in.Azure.Audience, azure.DefaultAudience)
	return in
}

// AWSInstallation are the administrator's settings for AWS.
type AWSInstallation struct {
	// Region for pods that set none.
	Region string `json:"region,omitempty"`
	// Audience of subject tokens; default aws.DefaultAudience.
	Audience string `json:"audience,omitempty"`
	// AccountID and Partition compose the ARN of a bare role name. Partition
	// defaults to "aws".
	AccountID string `json:"accountID,omitempty"`
	Partition string `json:"partition,omitempty"`
	// STSEndpoints maps an ARN's partition to the URL of its STS. Partitions of AWS
	// ("aws", "aws-cn", "aws-us-gov", ...) need none; any other ("minio") is
	// accepted in an annotation only if it is listed here.
	STSEndpoints map[string]string `json:"stsEndpoints,omitempty"`
	// UseFIPSEndpoint and UseDualStackEndpoint choose among AWS's own endpoints of STS, in
	// partitions that STSEndpoints does not list; in direct mode they are the SDK's
	// switches of those names, and so count for all services.
	UseFIPSEndpoint      bool `json:"useFIPSEndpoint,omitempty"`
	UseDualStackEndpoint bool `json:"useDualStackEndpoint,omitempty"`
	// ClusterARN and ClusterName are the session tags eks-cluster-arn and
	// eks-cluster-name, for ServiceAccounts that ask for tags; empty: not sent.
	ClusterARN  string `json:"clusterARN,omitempty"`
	ClusterName string `json:"clusterName,omitempty"`
}

// GCPInstallation are the administrator's settings for Google Cloud.
type GCPInstallation struct {
	// DefaultProvider is used where an annotation names none, as with
	// iam.gke.io/gcp-service-account: "projects/<number>/locations/<location>/
	// workloadIdentityPools/<pool>/providers/<provider>".
	DefaultProvider string `json:"defaultProvider,omitempty"`
	// FleetPool and FleetIdentityProvider, together, stand in for DefaultProvider
	// on GKE and fleets.
	FleetPool             string `json:"fleetPool,omitempty"`
	FleetIdentityProvider string `json:"fleetIdentityProvider,omitempty"`
	// Audience of subject tokens for providers of workload identity pools; default: the
	// provider's own name. GKE's and fleets' identity providers take their pool alone.
	Audience string `json:"audience,omitempty"`
	// Project named to SDKs where an annotation names none.
	Project string `json:"project,omitempty"`
	// Region that gcloud is told (CLOUDSDK_COMPUTE_REGION); empty: none.
	Region string `json:"region,omitempty"`
	// GcloudHome: pods that choose no injection mode have a place for gcloud to write, as
	// with pfnet's webhook, whose default it is.
	GcloudHome bool `json:"gcloudHome,omitempty"`
	// GKEAnnotation: "auto" (default), "on" or "off": whether iam.gke.io annotations
	// are honoured. auto leaves alone the pods whose nodeSelector has
	// iam.gke.io/gke-metadata-server-enabled, which GKE itself serves.
	GKEAnnotation Switch `json:"gkeAnnotation,omitempty"`
	// Zone of the nodes ("europe-west3-a"), for applications that ask the metadata
	// server for it; empty: the server does not know.
	Zone string `json:"zone,omitempty"`
	// UniverseDomain is the domain of Google's APIs in a sovereign cloud; default
	// gcp.DefaultUniverse.
	UniverseDomain string `json:"universeDomain,omitempty"`
	// STSEndpoint and IAMCredentialsEndpoint; default: those of the universe.
	STSEndpoint            string `json:"stsEndpoint,omitempty"`
	IAMCredentialsEndpoint string `json:"iamCredentialsEndpoint,omitempty"`
}

// AzureInstallation are the administrator's settings for Azure.
type AzureInstallation struct {
	// TenantID for ServiceAccounts that name none.
	TenantID string `json:"tenantID,omitempty"`
	// AuthorityHost; default azure.DefaultAuthorityHost.
	AuthorityHost string `json:"authorityHost,omitempty"`
	// Audience of subject tokens; default azure.DefaultAudience.
	Audience string `json:"audience,omitempty"`
	// ProbeResource is what the broker asks Entra for at a pod's start, to find out
	// whether trust works; default: Azure Resource Manager.
	ProbeResource string `json:"probeResource,omitempty"`
	// RequireUseLabel restores the rule of azure-workload-identity that a pod needs
	// the label azure.workload.identity/use.
	RequireUseLabel bool `json:"requireUseLabel,omitempty"`
}

// OIDCInstallation are the administrator's settings for servers that are none of the
// clouds.
type OIDCInstallation struct {
	// TokenSources are OAuth 2.0 token endpoints that trust the cluster's issuer, by
	// the name that ServiceAccounts ask for.
	TokenSources map[string]oidc.Source `json:"tokenSources,omitempty"`
}

// KubeInstallation are the administrator's settings for the APIs of other clusters.
type KubeInstallation struct {
	// Clusters by the name that ServiceAccounts ask for.
	Clusters map[string]kube.Cluster `json:"clusters,omitempty"`
}

// Switch is auto, on or off. YAML 1.1 reads on and off without quotes as true and false,
// which are taken for what they were.
type Switch string

// UnmarshalJSON implements json.Unmarshaler.
func (s *Switch) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*s = "on"
	case "false":
		*s = "off"
	default:
		return json.Unmarshal(b, (*string)(s))
	}
	return nil
}

// Switches are the values of a Switch.
func Switches() []Switch { return []Switch{"auto", "on", "off"} }

// Mapping gives annotations to the ServiceAccounts that match. Namespace and
// ServiceAccount are globs (path.Match).
type Mapping struct {
	Namespace      string            `json:"namespace"`
	ServiceAccount string            `json:"serviceAccount"`
	Annotations    map[string]string `json:"annotations"`
}

// StaticKeys is what happens to a pod with static keys that SDKs would prefer to
// federation.
type StaticKeys string

const (
	// StaticKeysWarn admits the pod with a warning.
	StaticKeysWarn StaticKeys = "warn"
	// StaticKeysOverride empties the static variables in the container.
	StaticKeysOverride StaticKeys = "override"
	// StaticKeysDeny denies the pod.
	StaticKeysDeny StaticKeys = "deny"
)

// Modes are the values of a Mode.
func Modes() []Mode { return []Mode{ModeBroker, ModeDirect} }

// StaticKeysChoices are the values of StaticKeys.
func StaticKeysChoices() []StaticKeys {
	return []StaticKeys{StaticKeysWarn, StaticKeysOverride, StaticKeysDeny}
}

// STSEndpoint is where the administrator says that the STS of the role's partition
// is; empty: AWS's own.
func (in AWSInstallation) STSEndpoint(roleARN string) string {
	return in.STSEndpoints[aws.PartitionOf(roleARN)]
}

// Endpoints are the choice among AWS's own.
func (in AWSInstallation) Endpoints() aws.Endpoints {
	return aws.Endpoints{FIPS: in.UseFIPSEndpoint, DualStack: in.UseDualStackEndpoint}
}

// Endpoints of Google's APIs.
func (in GCPInstallation) Endpoints() gcp.Endpoints {
	return gcp.Endpoints{Universe: in.UniverseDomain, STS: in.STSEndpoint, IAMCredentials: in.IAMCredentialsEndpoint}
}
