package chart

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// entry is what a registration of the chart's says of namespaces.
type entry struct {
	Excluded []string
	Fails    bool // closed
}

// TestKubeSystem: with includeKubeSystem the pods and ServiceAccounts of kube-system are
// looked at, and no entry that fails closed sees them: podpass being away must not keep
// the cluster from starting.
func TestKubeSystem(t *testing.T) {
	const pods, first, closed = "pods.podpass.io", "opted-in-first-replica.podpass.io", "opted-in.podpass.io"
	refused := map[string]entry{
		first:             {Excluded: []string{"kube-system", own, "vault"}},
		closed:            {Excluded: []string{"kube-system", own, "vault"}, Fails: true},
		"azure-" + first:  {Excluded: []string{"kube-system", own, "vault"}},
		"azure-" + closed: {Excluded: []string{"kube-system", own, "vault"}, Fails: true},
	}
	for name, tt := range map[string]struct {
		set    string
		looked []string // namespaces of which no pod is looked at
	}{
		"by default": {"replicas=2", []string{"kube-system", own, "vault"}},
		"included":   {"includeKubeSystem=true", []string{own, "vault"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]entry{pods: {Excluded: tt.looked}, "serviceaccounts.podpass.io": {Excluded: tt.looked}}
			for name, e := range refused {
				want[name] = e
			}
			got := entries(t, "--set", "excludedNamespaces={vault}", "--set", tt.set)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// entries are those of the webhook configurations that Helm renders, by name.
func entries(t *testing.T, args ...string) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	rendered := render(t, args...)
	add := func(name string, selector *metav1.LabelSelector, policy admissionregistrationv1.FailurePolicyType) {
		i := slices.IndexFunc(selector.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool {
			return r.Key == corev1.LabelMetadataName && r.Operator == metav1.LabelSelectorOpNotIn
		})
		if i < 0 {
			t.Fatalf("%s excludes no namespace", name)
		}
		all[name] = entry{selector.MatchExpressions[i].Values, policy == admissionregistrationv1.Fail}
	}
	for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, rendered) {
		for _, w := range c.Webhooks {
			add(w.Name, w.NamespaceSelector, *w.FailurePolicy)
		}
	}
	for _, c := range typed[*admissionregistrationv1.ValidatingWebhookConfiguration](t, rendered) {
		for _, w := range c.Webhooks {
			add(w.Name, w.NamespaceSelector, *w.FailurePolicy)
		}
	}
	return all
}
