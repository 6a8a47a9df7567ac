package audit

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/podpass-io/podpass/webhook/inject"
)

// TestPagesOfPods: pods are read a hundred at a time, those of
// every page are looked at, and one label selector is asked of all pages.
func TestPagesOfPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks})
		pages := map[string]struct {
			pods []string
			next string
		}{
			"":       {[]string{"a", "b", "c", "d"}, "second"},
			"second": {[]string{"e", "f", "g", "h"}, "third"},
			"third":  {[]string{"i"}, ""},
		}
		asked := map[string]int{}
		client.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
			o := action.(clienttesting.ListActionImpl).ListOptions
			if o.LabelSelector != "!podpass.io/injected,!eks.amazonaws.com/skip-pod-identity-webhook,podpass.io/inject!=false" {
				return true, new(corev1.PodList), nil
			}
			if o.Limit != 100 || o.FieldSelector != "spec.serviceAccountName=orders,status.phase!=Succeeded,status.phase!=Failed" {
				t.Errorf("asked for %+v", o)
			}
			asked[o.Continue]++
			page := pages[o.Continue]
			list := &corev1.PodList{ListMeta: metav1.ListMeta{Continue: page.next}}
			for _, name := range page.pods {
				list.Items = append(list.Items, *pod("shop", name, "orders", nil))
			}
			return true, list, nil
		})
		pass := audited(t, a, 30*time.Second)
		if pass.Uninjected != 9 || len(events(t, client)) != 9 {
			t.Errorf("%d uninjected, %d events, want 9", pass.Uninjected, len(events(t, client)))
		}
		if asked[""] != 1 || asked["second"] != 1 || asked["third"] != 1 {
			t.Errorf("pages asked for: %v", asked)
		}
	})
}

// TestTooLargePodEndsNoPass: podpass would deny a pod of so many variables, so that it is no
// miss; nor may it, with a label of its own, keep the others from being audited.
func TestTooLargePodEndsNoPass(t *testing.T) {
	for _, label := range []string{"", "broker", "direct"} {
		t.Run("label "+label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				large := pod("shop", "large", "orders", func(p *corev1.Pod) {
					if label != "" {
						p.Labels[inject.InjectedLabel] = label
					}
					for i := range 33_000 {
						p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: fmt.Sprintf("V%d", i)})
					}
				})
				a, client := newAuditor(t, accounts{"shop/orders": asks}, large, pod("shop", "missed", "orders", nil))
				pass := audited(t, a, 30*time.Second)
				if got := events(t, client); len(got) != 1 || got[0].InvolvedObject.Name != "missed" || pass.Uninjected != 1 {
					t.Errorf("%+v, %d events", pass, len(got))
				}
			})
		})
	}
}
