package inject

import (
	"cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Request reads from a pod's raw JSON what decides its identities: which
// ServiceAccount it runs as, and its own labels, annotations and nodeSelector. The
// caller adds the ServiceAccount's annotations and labels, and the namespace where
// the pod does not name it.
func Request(pod []byte) (serviceaccount.Request, error) {
	p, err := decodePod(pod)
	if err != nil {
		return serviceaccount.Request{}, err
	}
	return serviceaccount.Request{
		Namespace:       p.Metadata.Namespace,
		Name:            p.Spec.serviceAccount(),
		PodAnnotations:  p.Metadata.Annotations,
		PodLabels:       p.Metadata.Labels,
		PodNodeSelector: p.Spec.NodeSelector,
	}, nil
}

// serviceAccount is the name of the pod's; Kubernetes' admission defaults it.
func (s *podSpec) serviceAccount() string { return cmp.Or(s.ServiceAccountName, "default") }
