package serviceaccount

import (
	"strings"
)

// Keys of podpass's own vocabulary.
const (
	KeyInject             = "podpass.io/inject"
	KeyMode               = "podpass.io/mode"
	KeySkipContainers     = "podpass.io/skip-containers"
	KeyTokenExpiration    = "podpass.io/token-expiration"
	KeyBrokerPort         = "podpass.io/broker-port"
	KeyBrokerAfter        = "podpass.io/broker-after"
	KeyBrokerResources    = "podpass.io/broker-resources"
	KeyStrictStart        = "podpass.io/strict-start"
	KeyStaticKeys         = "podpass.io/static-keys"
	KeyAWSRoleARN         = "podpass.io/aws-role-arn"
	KeyAWSNamedRole       = "podpass.io/aws-role-arn.<name>"
	KeyAWSChosenRole      = "podpass.io/aws-role.<container>"
	KeyAWSAssumeRoleARN   = "podpass.io/aws-assume-role-arn"
	KeyAWSExternalID      = "podpass.io/aws-external-id"
	KeyAWSSessionName     = "podpass.io/aws-session-name"
	KeyAWSSessionDuration = "podpass.io/aws-session-duration"
	KeyAWSSessionPolicy   = "podpass.io/aws-session-policy"
	KeyAWSSessionTags     = "podpass.io/aws-session-tags"
	KeyAWSIMDS            = "podpass.io/aws-imds"
	KeyAWSRegion          = "podpass.io/aws-region"
	KeyGCPProvider        = "podpass.io/gcp-provider"
	KeyGCPServiceAccount  = "podpass.io/gcp-service-account"
	KeyGCPProject         = "podpass.io/gcp-project"
	KeyGCPQuotaProject    = "podpass.io/gcp-quota-project"
	KeyGCPDelegates       = "podpass.io/gcp-delegates"
	KeyGCPTokenLifetime   = "podpass.io/gcp-token-lifetime"
	KeyAzureClientID      = "podpass.io/azure-client-id"
	KeyAzureTenantID      = "podpass.io/azure-tenant-id"
	KeyAzureOtherClients  = "podpass.io/azure-other-clients"
	KeyOIDCAudiences      = "podpass.io/oidc-audiences"
	KeyOIDCTokenSources   = "podpass.io/oidc-token-sources"
	KeyKubeClusters       = "podpass.io/kube-clusters"
)

// Keys of amazon-eks-pod-identity-webhook.
const (
	KeyEKSRoleARN         = "eks.amazonaws.com/role-arn"
	KeyEKSAudience        = "eks.amazonaws.com/audience"
	KeyEKSRegionalSTS     = "eks.amazonaws.com/sts-regional-endpoints"
	KeyEKSTokenExpiration = "eks.amazonaws.com/token-expiration"
	KeyEKSSkipContainers  = "eks.amazonaws.com/skip-containers"
	KeyEKSSkip            = "eks.amazonaws.com/skip-pod-identity-webhook"
)

// Keys of azure-workload-identity.
const (
	KeyAzureWIUse             = "azure.workload.identity/use"
	KeyAzureWIClientID        = "azure.workload.identity/client-id"
	KeyAzureWITenantID        = "azure.workload.identity/tenant-id"
	KeyAzureWITokenExpiration = "azure.workload.identity/service-account-token-expiration"
	KeyAzureWISkipContainers  = "azure.workload.identity/skip-containers"
	KeyAzureWIProxy           = "azure.workload.identity/inject-proxy-sidecar"
	KeyAzureWIProxyPort       = "azure.workload.identity/proxy-sidecar-port"
)

// Keys of pfnet's gcp-workload-identity-federation-webhook.
const (
	KeyGoogleProvider          = "cloud.google.com/workload-identity-provider"
	KeyGoogleServiceAccount    = "cloud.google.com/service-account-email"
	KeyGoogleAudience          = "cloud.google.com/audience"
	KeyGoogleTokenExpiration   = "cloud.google.com/token-expiration"
	KeyGoogleInjectionMode     = "cloud.google.com/injection-mode"
	KeyGoogleRunAsUser         = "cloud.google.com/gcloud-run-as-user"
	KeyGoogleSkipContainers    = "cloud.google.com/skip-containers"
	KeyGoogleTokenExchangeMode = "cloud.google.com/token-exchange-mode"
	KeyGoogleProjectID         = "cloud.google.com/project-id"
)

// Keys of GKE Workload Identity.
const (
	KeyGKEServiceAccount   = "iam.gke.io/gcp-service-account"
	KeyGKEPrincipalAsEmail = "iam.gke.io/return-principal-id-as-email"
	KeyGKEQuotaProject     = "iam.gke.io/credential-quota-project"
	KeyGKEMetadataServer   = "iam.gke.io/gke-metadata-server-enabled"
)

// Key is a row of the table of annotations: docs/annotations.md holds the same.
type Key struct {
	Name string
	// On is where the key is read: "ServiceAccount", "pod", "pod, ServiceAccount"
	// (the pod's wins), "pod label", "pod nodeSelector".
	On string
	// Value is the form and the bounds; Meaning what it does, with the default.
	Value   string
	Meaning string
}

// keyOf is the row of a key; false: it is none of the vocabulary.
func keyOf(name string) (Key, bool) {
	if k, ok := known()[name]; ok {
		return k, true
	}
	for _, pattern := range [...]string{KeyAWSNamedRole, KeyAWSChosenRole} {
		head, _, _ := strings.Cut(pattern, "<")
		if strings.HasPrefix(name, head) {
			return known()[pattern], true
		}
	}
	return Key{}, false
}

// tooLong stands for any value that no key allows: Resolve looks at no more than its
// length.
var tooLong = strings.Repeat(".", maxValue+1)

// Digest is what Resolve needs of a ServiceAccount's annotation or label: the value; of
// one that is too long only that it is; of a key that is not in the vocabularies, but
// may be a misspelt one, only the key. false: Resolve does not look at it.
func Digest(key, value string) (digest string, ok bool) {
	if len(key) > longestKey || !vocabulary(key) {
		return "", false
	}
	switch _, ok := keyOf(key); {
	case !ok:
		return "", true
	case len(value) > maxValue:
		return tooLong, true
	default:
		return value, true
	}
}

// longestKey is what Kubernetes allows: a prefix of 253, a slash, a name of 63.
const longestKey = 253 + 1 + 63

func (k Key) onPod() bool { return k.On == "pod" || k.On == "pod, ServiceAccount" }

// OnServiceAccount reports whether the key is read there.
func (k Key) OnServiceAccount() bool {
	return k.On == "ServiceAccount" || k.On == "pod, ServiceAccount"
}
func (k Key) onPodLabel() bool { return k.On == "pod label" }

// Keys is the whole vocabulary, in the order of the documentation.
func Keys() []Key {
	const sa, pod, both = "ServiceAccount", "pod", "pod, ServiceAccount"
	return []Key{
		{KeyInject, "pod label", "`true`, `false`", "`true`: opt in, injection must not fail silently; `false`: never touch the pod"},
		{KeyMode, both, "`broker`, `direct`", "how containers get credentials; default: the installation's, `broker`"},
		{KeySkipContainers, pod, "names, separated by commas or semicolons", "containers and init containers that get nothing"},
		{KeyTokenExpiration, both, "seconds, 600..86400", "life of the subject token; default: the installation's, 3600"},
		{KeyBrokerPort, pod, "1024..65535", "the broker's port on the pod's loopback; default: the installation's, 9911"},
		{KeyBrokerAfter, both, "names, separated by commas or semicolons", "init containers after which the broker starts, because the pod's network comes with them; the proxies of known service meshes need not be named"},
		{KeyBrokerResources, both, "`<requests or limits>.<cpu or memory>=<quantity>`, separated by commas; cpu `1m`..`8`, memory `16Mi`..`8Gi`", "the broker's resources, such as `limits.memory=256Mi`; default: the installation's for the namespace"},
		{KeyStrictStart, both, "`true`, `false`", "`true`: the pod does not start without its credentials; default `false`: it starts, and explains why it has none"},
		{KeyStaticKeys, both, "`warn`, `override`, `deny`", "what happens to static keys that SDKs would prefer; default: the installation's, `warn`"},
		{KeyAWSRoleARN, sa, "role ARN, or a role's name where the installation knows the account", "the AWS role"},
		{KeyAWSNamedRole, sa, "role ARN; the name: 1..32 of lower case letters, digits and `-`", "a further role, which the broker serves at `/aws/v1/credentials/<name>`; at most 10"},
		{KeyAWSChosenRole, pod, "the name of a further role", "the role that this container gets instead of the first"},
		{KeyAWSAssumeRoleARN, sa, "role ARNs, separated by commas, at most 5", "further roles to assume, in order"},
		{KeyAWSExternalID, sa, "2..1224 of letters, digits and `_+=,.@:/-`", "ExternalId of these AssumeRole calls"},
		{KeyAWSSessionName, sa, "2..64 of letters, digits and `_+=,.@-`", "session name; default: `<namespace>.<ServiceAccount>.<pod>`"},
		{KeyAWSSessionDuration, sa, "seconds, 900..43200; with further roles at most 3600", "life of the credentials; default: STS's, 3600"},
		{KeyAWSSessionPolicy, sa, "JSON, at most 2048 characters", "inline policy of the last session"},
		{KeyAWSSessionTags, sa, "`true`, `false`", "send the tags of EKS Pod Identity with these AssumeRole calls"},
		{KeyAWSRegion, both, "a region's name", "region of STS, and `AWS_REGION` of containers that set none; default: the installation's"},
		{KeyAWSIMDS, both, "`true`, `false`", "`true`: the broker also answers as EC2's instance metadata service (version 2), for tools that know nothing else; default `false`"},
		{KeyGCPProvider, sa, "`projects/<number>/locations/<location>/workloadIdentityPools/<pool>/providers/<provider>`", "the workload identity provider; default: the installation's"},
		{KeyGCPServiceAccount, sa, "email", "service account to impersonate; default: none, direct resource access"},
		{KeyGCPProject, sa, "project ID", "project that SDKs see; default: the service account's, else the installation's"},
		{KeyGCPQuotaProject, sa, "project ID", "project that is charged quota"},
		{KeyGCPDelegates, sa, "emails, separated by commas, at most 5", "delegation chain of the impersonation"},
		{KeyGCPTokenLifetime, sa, "seconds, 600..43200", "life of impersonated access tokens; default 3600"},
		{KeyAzureClientID, sa, "GUID", "the application or managed identity"},
		{KeyAzureTenantID, sa, "GUID or domain", "its tenant; default: the installation's"},
		{KeyAzureOtherClients, sa, "`<client>` or `<client>@<tenant>`, separated by commas, at most 5", "further applications, which SDKs ask for by client ID"},
		{KeyOIDCAudiences, sa, "`<audience>` or `<name>=<audience>`, separated by commas, at most 5", "tokens of the ServiceAccount for whatever verifies them itself, in files `/var/run/secrets/podpass.io/oidc/<name>`"},
		{KeyOIDCTokenSources, sa, "names, separated by commas, at most 5", "OAuth 2.0 servers of the installation, whose access tokens the broker serves at `/oidc/v1/token/<name>`"},
		{KeyKubeClusters, sa, "names, separated by commas, at most 5", "clusters of the installation that trust this one's issuer: a kubeconfig (`KUBECONFIG`) with a context for each, the first the current one, and a token for each; `in-cluster` is the pod's own"},
		{KeyEKSRoleARN, sa, "role ARN, or a role's name where the installation knows the account", "the AWS role"},
		{KeyEKSAudience, sa, "string", "audience of the subject token; default: the installation's, `sts.amazonaws.com`"},
		{KeyEKSRegionalSTS, sa, "`true`, `false`", "accepted; podpass always uses regional endpoints"},
		{KeyEKSTokenExpiration, both, "seconds, 600..86400", "life of the AWS subject token"},
		{KeyEKSSkipContainers, pod, "names, separated by commas, also in quotes", "as `podpass.io/skip-containers`"},
		{KeyEKSSkip, "pod label", "any", "never touch the pod"},
		{KeyAzureWIUse, "pod label", "`true`", "opt in; needed only where the installation requires it, or no client ID is named"},
		{KeyAzureWIClientID, sa, "GUID", "the application or managed identity; accepted as a label too, with a warning"},
		{KeyAzureWITenantID, sa, "GUID or domain", "its tenant; default: the installation's"},
		{KeyAzureWITokenExpiration, both, "seconds, 3600..86400", "life of the Azure subject token"},
		{KeyAzureWISkipContainers, pod, "names, separated by semicolons", "as `podpass.io/skip-containers`"},
		{KeyAzureWIProxy, pod, "`true`, `false`", "`true`: broker mode for Azure, which catches less than a proxy, with a warning; `false`: direct mode"},
		{KeyAzureWIProxyPort, pod, "1024..65535", "as `podpass.io/broker-port`"},
		{KeyGoogleProvider, sa, "`projects/<number>/locations/<location>/workloadIdentityPools/<pool>/providers/<provider>`", "the workload identity provider"},
		{KeyGoogleServiceAccount, sa, "email", "service account to impersonate; default: none, direct resource access"},
		{KeyGoogleAudience, sa, "string", "audience of the subject token; default: the installation's, else the provider's own resource name"},
		{KeyGoogleTokenExpiration, both, "seconds, 600..86400", "life of the Google subject token; default 3600"},
		{KeyGoogleInjectionMode, sa, "`direct`, `gcloud`, in any letter case", "`direct`: direct mode for Google Cloud; `gcloud`: the installation's mode, with a warning, and a place for gcloud to write (`CLOUDSDK_CONFIG`)"},
		{KeyGoogleRunAsUser, sa, "number", "ignored, with a warning: podpass adds no gcloud container"},
		{KeyGoogleSkipContainers, pod, "names, separated by commas, also in quotes", "as `podpass.io/skip-containers`"},
		{KeyGoogleTokenExchangeMode, sa, "`service-account`, `direct-access`", "`direct-access`: the federated principal itself, even if a service account is named"},
		{KeyGoogleProjectID, sa, "project ID", "as `podpass.io/gcp-project`"},
		{KeyGKEServiceAccount, sa, "email", "service account to impersonate, through the installation's default provider"},
		{KeyGKEPrincipalAsEmail, sa, "`true`, `false`", "the metadata server gives the federated principal as email"},
		{KeyGKEQuotaProject, sa, "project ID", "project that is charged quota"},
		{KeyGKEMetadataServer, "pod nodeSelector", "`true`", "on GKE the platform serves the pod: `iam.gke.io` annotations are left alone unless the installation says `on`"},
	}
}
