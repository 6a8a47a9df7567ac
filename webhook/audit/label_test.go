package audit

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/podpass-io/podpass/webhook/inject"
)

// sidecar gives a pod the broker, for an identity of then.
func sidecar(p *corev1.Pod) {
	p.Spec.InitContainers = []corev1.Container{{Name: "podpass-broker", Env: []corev1.EnvVar{
		{Name: "PODPASS_IDENTITIES", Value: `{"aws":{"roleARN":"arn:aws:iam::111122223333:role/of-then"}}`}, {Name: "PODPASS_LISTEN", Value: "127.0.0.1:9999"},
	}}}
}

// TestLabelIsNotBelieved: it may have come with a manifest, while podpass was away. A pod
// that has what it says is let be, whatever the settings are now; so is one that has
// everything but the label.
func TestLabelIsNotBelieved(t *testing.T) {
	tokens := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "aws-iam-token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Audience: "sts.amazonaws.com", Path: "token"}}},
		}}}}
	}
	eks := func(p *corev1.Pod) {
		tokens(p)
		p.Spec.Containers[0].Env = []corev1.EnvVar{
			{Name: "AWS_ROLE_ARN", Value: asks["eks.amazonaws.com/role-arn"]},
			{Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
		}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "aws-iam-token", MountPath: "/var/run/secrets/eks.amazonaws.com/serviceaccount"}}
	}
	for name, test := range map[string]struct {
		label  string
		change func(*corev1.Pod)
		want   int
	}{
		"broker, without a sidecar":                {"broker", nil, 1},
		"broker, with one":                         {"broker", sidecar, 0},
		"direct, without a token":                  {"direct", nil, 1},
		"direct, with one":                         {"direct", tokens, 0},
		"direct, with a sidecar instead":           {"direct", sidecar, 1},
		"a value that is none":                     {"yes", sidecar, 1},
		"none, and what EKS's own webhook gives":   {"", eks, 0},
		"broker, and what EKS's own webhook gives": {"broker", eks, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "labelled", "orders", func(p *corev1.Pod) {
					if test.label != "" {
						p.Labels[inject.InjectedLabel] = test.label
					}
					if test.change != nil {
						test.change(p)
					}
				}))
				// Every pass counts it, also those that do not look.
				if pass := audited(t, a, 5*time.Minute); pass.Uninjected != test.want || len(events(t, client)) != test.want {
					t.Errorf("last pass %+v, %d events", pass, len(events(t, client)))
				}
			})
		})
	}
}

// TestLabelledPodsAreLookedAtSeldom: they are nearly all of the pods with identities. Every
// tenth pass looks at them, of each Run, as the first does: another replica's may differ.
func TestLabelledPodsAreLookedAtSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks})
		for range 2 {
			client.ClearActions()
			audited(t, a, 30*time.Minute)
			passes := 0
			var labelled []int
			for _, action := range client.Actions() {
				switch {
				case !action.Matches("list", "pods"):
				case selects(action, inject.InjectedLabel):
					labelled = append(labelled, passes)
				default:
					passes++
				}
			}
			if passes < 25 || len(labelled) < 3 || labelled[0] != 1 || labelled[1] != 11 || labelled[2] != 21 {
				t.Errorf("of %d passes, %v look at labelled pods", passes, labelled)
			}
		}
	})
}

// TestPassNeedsBothLists: of a ServiceAccount whose pods without podpass's label, or with
// it, cannot be listed, nothing is known.
func TestPassNeedsBothLists(t *testing.T) {
	for name, fails := range map[string]bool{"without the label": false, "with it": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newAuditor(t, accounts{"shop/orders": asks})
				client.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
					return selects(action, inject.InjectedLabel) == fails, nil, errors.New("the API server is down")
				})
				if pass := audited(t, a, 5*time.Minute); !pass.Ended.IsZero() {
					t.Errorf("a pass that is not complete counts: %+v", pass)
				}
			})
		})
	}
}

// selects reports whether a list demands a label.
func selects(action clienttesting.Action, label string) bool {
	return action.(clienttesting.ListAction).GetListRestrictions().Labels.Matches(labelSet{label: "broker"})
}
