package inject

import (
	"cmp"
	"fmt"

	"sigs.k8s.io/json"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Pod is what is read of a pod: the few fields that decide. Others are not decoded,
// and never written. A nil slice or map means that the pod has none (or null), which
// decides between creating and appending.
type Pod struct {
	Metadata *struct {
		Name         string            `json:"name"`
		GenerateName string            `json:"generateName"`
		Namespace    string            `json:"namespace"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec *podSpec `json:"spec"`

	// size of the JSON that it was read from, in bytes.
	size int
}

type podSpec struct {
	ServiceAccountName string            `json:"serviceAccountName"`
	HostNetwork        bool              `json:"hostNetwork"`
	NodeSelector       map[string]string `json:"nodeSelector"`
	OS                 *struct {
		Name string `json:"name"`
	} `json:"os"`
	ShareProcessNamespace bool `json:"shareProcessNamespace"`
	SecurityContext       struct {
		RunAsUser *int64 `json:"runAsUser"`
	} `json:"securityContext"`
	Resources      *podResources  `json:"resources"`
	Volumes        []podVolume    `json:"volumes"`
	InitContainers []podContainer `json:"initContainers"`
	Containers     []podContainer `json:"containers"`
}

// podVolume is a volume's name and, of its source, what could make it ours.
type podVolume struct {
	Name      string           `json:"name"`
	Projected *projectedVolume `json:"projected"`
	EmptyDir  *struct{}        `json:"emptyDir"`
}

type podContainer struct {
	Name         string       `json:"name"`
	Env          []podEnv     `json:"env"`
	EnvFrom      []podEnvFrom `json:"envFrom"`
	VolumeMounts []podMount   `json:"volumeMounts"`
	Ports        []podPort    `json:"ports"`
	Resources    podResources `json:"resources"`

	SecurityContext struct {
		RunAsUser    *int64 `json:"runAsUser"`
		Privileged   bool   `json:"privileged"`
		Capabilities struct {
			Add []string `json:"add"`
		} `json:"capabilities"`
	} `json:"securityContext"`
}

type podEnv struct {
	Name      string     `json:"name"`
	Value     string     `json:"value"`
	ValueFrom *podEnvRef `json:"valueFrom"`
}

// podEnvRef is a valueFrom; FieldRef is the only kind that podpass writes.
type podEnvRef struct {
	FieldRef *fieldRef `json:"fieldRef"`
}

type podEnvFrom struct {
	Prefix    string `json:"prefix"`
	SecretRef *struct {
		Name string `json:"name"`
	} `json:"secretRef"`
}

type podMount struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
}

type podResources struct {
	Requests map[string]quantity `json:"requests"`
	Limits   map[string]quantity `json:"limits"`
}

type podPort struct {
	ContainerPort int `json:"containerPort"`
}

// quantity is a resource quantity. Manifests written by hand have numbers too.
type quantity string

func (q *quantity) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.UnmarshalCaseSensitivePreserveInts(b, (*string)(q))
	}
	*q = quantity(b)
	return nil
}

// Decode reads the raw JSON of a pod. It reads as the API server does: names of
// fields in their exact case, where encoding/json would also take "Spec" for "spec"
// and so see a pod that the API server does not see.
func Decode(raw []byte) (*Pod, error) {
	var p Pod
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &p); err != nil {
		return nil, fmt.Errorf("decode pod: %w", err)
	}
	if p.Metadata == nil || p.Spec == nil {
		return nil, fmt.Errorf("decode pod: metadata or spec is missing")
	}
	p.size = len(raw)
	return &p, nil
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
func (p *Pod) ServiceAccount() string { return cmp.Or(p.Spec.ServiceAccountName, "default") }

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

// windows reports whether the pod can only run on a Windows node.
func (s *podSpec) windows() bool {
	if s.OS != nil && s.OS.Name == "windows" {
		return true
	}
	return s.NodeSelector["kubernetes.io/os"] == "windows" || s.NodeSelector["beta.kubernetes.io/os"] == "windows"
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
