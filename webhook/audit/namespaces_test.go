package audit

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

// TestNamespacesByLabel: what the registration does not select is not missed; and when it
// cannot be known which namespaces those are, there is no count.
func TestNamespacesByLabel(t *testing.T) {
	for name, test := range map[string]struct {
		selector string
		err      error
		want     int
	}{
		"opted in":    {selector: "podpass=enabled", want: 1},
		"opted out":   {selector: "podpass notin (disabled)", want: 2},
		"no selector": {want: 3},
		"away":        {selector: "podpass=enabled", err: errors.New("the API server is down")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newAuditor(t, accounts{"in/orders": asks, "out/orders": asks, "neither/orders": asks, "kube-system/dns": asks},
					pod("in", "a", "orders", nil), pod("out", "b", "orders", nil), pod("neither", "c", "orders", nil), pod("kube-system", "d", "dns", nil))
				if test.selector != "" {
					selector, err := labels.Parse(test.selector)
					if err != nil {
						t.Fatal(err)
					}
					a.NamespaceSelector = selector
				}
				// A page each, as an API server with many has.
				pages := []corev1.Namespace{namespace("in", "enabled"), namespace("out", "disabled"), namespace("neither", ""), namespace("kube-system", "enabled")}
				client.PrependReactor("list", "namespaces", func(action clienttesting.Action) (bool, runtime.Object, error) {
					at := 0
					if c := action.(clienttesting.ListActionImpl).ListOptions.Continue; c != "" {
						at = int(c[0] - '0')
					}
					list := new(corev1.NamespaceList)
					if action.(clienttesting.ListAction).GetListRestrictions().Labels.Matches(labels.Set(pages[at].Labels)) {
						list.Items = pages[at : at+1]
					}
					if at+1 < len(pages) {
						list.Continue = string(rune('0' + at + 1))
					}
					return true, list, test.err
				})
				pass := audited(t, a, 10*time.Minute)
				if pass.Uninjected != test.want || pass.Ended.IsZero() != (test.err != nil) {
					t.Errorf("last pass %+v, want %d uninjected", pass, test.want)
				}
			})
		})
	}
}

func namespace(name, podpass string) corev1.Namespace {
	n := corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	if podpass != "" {
		n.Labels["podpass"] = podpass
	}
	return n
}
