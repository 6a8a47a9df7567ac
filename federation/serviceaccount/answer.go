package serviceaccount

import (
	"slices"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Request is what decides the identities of a pod, apart from the Installation.
type Request struct {
	// Namespace and Name of the ServiceAccount, and its metadata.
	Namespace   string
	Name        string
	Annotations map[string]string
	Labels      map[string]string
	// The pod's.
	PodAnnotations  map[string]string
	PodLabels       map[string]string
	PodNodeSelector map[string]string
	// AnyPod: no pod is known. What a pod needs to be served is taken for given, so that
	// the answer says all that the ServiceAccount may ask for.
	AnyPod bool
}

// OptedIn reports whether a label of the pod asks for injection.
func (r Request) OptedIn() bool {
	return r.PodLabels[KeyInject] == "true" || r.PodLabels[KeyAzureWIUse] == "true"
}

// Answer is what a pod is to get. With Errors, nothing: the pod is denied.
type Answer struct {
	// One per cloud, independent of one another; nil: not asked for.
	AWS   *AWS
	GCP   *GCP
	Azure *Azure
	OIDC  *OIDC
	Kube  *Kube

	// OptedIn: a label of the pod asks for injection, so that missing it must not
	// pass silently. OptedOut: a label forbids it; all else is then empty.
	OptedIn  bool
	OptedOut bool

	SkipContainers []string
	BrokerPort     int
	// BrokerAfter are names of containers after which the broker is to start.
	BrokerAfter []string
	// BrokerResources are what is asked for, of the broker's container.
	BrokerResources map[BrokerResource]string
	StaticKeys      StaticKeys
	// StrictStart: the pod must not start without its credentials.
	StrictStart bool

	// Errors are the user's to mend: the pod must be denied. Warnings are not in
	// the way.
	Errors   []Problem
	Warnings []Problem
}

// Grant says how one cloud's identity is delivered, and why.
type Grant struct {
	Mode Mode
	// TokenExpiration of the subject token, in seconds.
	TokenExpiration int64
	// Source is the annotation that named the identity ("eks.amazonaws.com/role-arn"),
	// or "installation mapping".
	Source string
}

// AWS is the AWS part of an Answer.
type AWS struct {
	Grant
	aws.Identity
	// IMDS: the broker is to answer as EC2's instance metadata service too.
	IMDS bool
	// Chosen is the name of the further role that a container gets, by container.
	Chosen map[string]string
}

// GCP is the Google Cloud part of an Answer.
type GCP struct {
	Grant
	gcp.Identity
	// Gcloud: the containers were made for pfnet's gcloud mode, and want a place where
	// gcloud can write.
	Gcloud bool
}

// Azure is the Azure part of an Answer.
type Azure struct {
	Grant
	azure.Identity
}

// OIDC is what an Answer has for servers that are none of the clouds: plain tokens in
// files, and token sources that the broker serves.
type OIDC struct {
	Grant
	oidc.Identity
	Audiences []oidc.Audience
}

// Kube is what an Answer has for the APIs of other clusters.
type Kube struct {
	Grant
	// Clusters in the order of the annotation. One is called [kube.InCluster] and nothing
	// more: the pod's own.
	Clusters []kube.Cluster
}

// Others are the clusters that are not the pod's own.
func (k Kube) Others() []kube.Cluster {
	return slices.DeleteFunc(slices.Clone(k.Clusters), func(c kube.Cluster) bool { return c.Name == kube.InCluster })
}

// Empty reports whether the pod gets no identity at all.
func (a Answer) Empty() bool {
	return a.AWS == nil && a.GCP == nil && a.Azure == nil && a.OIDC == nil && a.Kube == nil
}
