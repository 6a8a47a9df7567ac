package inject

import (
	"cmp"
	"encoding/json"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Pod is what is read of a pod: the few fields that decide. Others are not decoded,
// and never written. A nil slice or map means that the pod has none (or null), which
// decides between creating and appending.
type Pod struct {
	Metadata *podMetadata
	// Spec has, before Plan, only what decides whether anything is asked for.
	Spec *podSpec
	// Around is what of the cluster bears on the pod.
	Around Around

	raw  []byte
	size int // of raw
}

type podMetadata struct {
	Name         string
	GenerateName string
	Namespace    string
	Labels       map[string]string
	Annotations  map[string]string
}

type podSpec struct {
	ServiceAccountName string
	// ServiceAccount is the name's old field, which the API server takes where the other
	// is empty; manifests that it has not seen yet have one or the other.
	ServiceAccount   string
	HostNetwork      bool
	NodeSelector     map[string]string
	OS               string
	RuntimeClassName string
	WindowsAffinity  bool // required, of each node

	ShareProcessNamespace bool
	SecurityContext       podSecurity

	ImagePullSecrets []reference

	Resources      *podResources
	Volumes        []podVolume
	InitContainers []podContainer
	Containers     []podContainer
}

// podVolume is a volume's name and, of its source, what could make it ours.
type podVolume struct {
	Name      string
	Projected *projectedVolume
	EmptyDir  *struct{}
}

type podContainer struct {
	Name string

	Env          []podEnv
	EnvFrom      []podEnvFrom
	VolumeMounts []podMount
	Ports        []podPort
	Resources    podResources
	// RestartPolicy of an init container: "Always" makes it a native sidecar.
	RestartPolicy string

	SecurityContext containerSecurity
}

type podSecurity struct {
	RunAsUser      *int64         `json:"runAsUser"`
	FSGroup        *int64         `json:"fsGroup"`
	WindowsOptions windowsOptions `json:"windowsOptions"`
}

type windowsOptions struct {
	HostProcess bool `json:"hostProcess"`
}

type containerSecurity struct {
	RunAsUser    *int64 `json:"runAsUser"`
	Privileged   bool   `json:"privileged"`
	Capabilities struct {
		Add []string `json:"add"`
	} `json:"capabilities"`
	WindowsOptions windowsOptions `json:"windowsOptions"`
}

type podEnv struct {
	Name      string
	Value     string
	ValueFrom *podEnvRef
}

// podEnvRef is a valueFrom; FieldRef is the only kind that podpass writes.
type podEnvRef struct {
	FieldRef *fieldRef `json:"fieldRef"`
}

type podEnvFrom struct {
	Prefix       string     `json:"prefix"`
	SecretRef    *reference `json:"secretRef"`
	ConfigMapRef *reference `json:"configMapRef"`
}

type reference struct {
	Name string `json:"name"`
}

type podMount struct {
	Name      string
	MountPath string
}

type podResources struct {
	Requests map[string]quantity `json:"requests"`
	Limits   map[string]quantity `json:"limits"`
}

type podPort struct {
	ContainerPort int
	Protocol      string // "": TCP
}

// quantity is a resource quantity. Manifests written by hand have numbers too.
type quantity string

func (q *quantity) UnmarshalJSON(b []byte) error {
	if b[0] == '"' { // b is a JSON value, and not empty
		return json.Unmarshal(b, (*string)(q))
	}
	*q = quantity(b)
	return nil
}

// Name is what a person finds the pod by; one about to be created by a controller
// has no name yet, and is shown as "orders-*".
func (p *Pod) Name() string {
	if p.Metadata.Name == "" && p.Metadata.GenerateName != "" {
		return p.Metadata.GenerateName + "*"
	}
	return p.Metadata.Name
}

// ServiceAccount is the name of the pod's; Kubernetes' admission defaults it.
func (p *Pod) ServiceAccount() string {
	return cmp.Or(p.Spec.ServiceAccountName, p.Spec.ServiceAccount, "default")
}

// Request is what of the pod decides its identities. The caller adds the
// ServiceAccount's annotations and labels, and the namespace where the pod does not
// name it.
func (p *Pod) Request() serviceaccount.Request {
	return serviceaccount.Request{
		Namespace:       p.Metadata.Namespace,
		Name:            p.ServiceAccount(),
		PodAnnotations:  p.Metadata.Annotations,
		PodLabels:       p.Metadata.Labels,
		PodNodeSelector: p.Spec.NodeSelector,
	}
}

// env gives the definition of a variable that counts: kubelet takes the last of
// several with one name.
func (c *podContainer) env(name string) (podEnv, bool) {
	for i := len(c.Env) - 1; i >= 0; i-- {
		if c.Env[i].Name == name {
			return c.Env[i], true
		}
	}
	return podEnv{}, false
}

// hasEnv reports whether a variable is set to something. One that is explicitly
// empty counts as not set, as it does for every SDK.
func (c *podContainer) hasEnv(name string) bool {
	e, ok := c.env(name)
	return ok && (e.Value != "" || e.ValueFrom != nil)
}
