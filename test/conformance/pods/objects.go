package pods

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/webhook/inject"
)

// Around is what the planner is told of the case's objects. RuntimeClasses come with
// the pod itself from a real API server.
func (c Case) Around() (inject.Around, error) {
	a := inject.Around{RuntimeClasses: map[string]map[string]string{}}
	for _, raw := range c.Objects {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(raw, &kind); err != nil {
			return a, err
		}
		switch kind.Kind {
		case "RuntimeClass":
			var r nodev1.RuntimeClass
			if err := json.Unmarshal(raw, &r); err != nil {
				return a, err
			}
			if r.Scheduling != nil {
				a.RuntimeClasses[r.Name] = r.Scheduling.NodeSelector
			}
		case "LimitRange":
			var l corev1.LimitRange
			if err := json.Unmarshal(raw, &l); err != nil {
				return a, err
			}
			a.Limits = append(a.Limits, l.Spec.Limits...)
		case "ResourceQuota": // nothing that podpass asks for
		default:
			return a, fmt.Errorf("no case has a %q", kind.Kind)
		}
	}
	return a, nil
}
