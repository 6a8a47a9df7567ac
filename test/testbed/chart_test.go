package testbed

import (
	"bytes"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
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
	helm, err := installTool(t.Context(), t.Output(), helmModule)
	if err != nil {
		t.Fatal(err)
	}
	const pods, first, closed = "pods.podpass.io", "opted-in-first-replica.podpass.io", "opted-in.podpass.io"
	refused := map[string]entry{
		first:             {Excluded: []string{"kube-system", "own", "vault"}},
		closed:            {Excluded: []string{"kube-system", "own", "vault"}, Fails: true},
		"azure-" + first:  {Excluded: []string{"kube-system", "own", "vault"}},
		"azure-" + closed: {Excluded: []string{"kube-system", "own", "vault"}, Fails: true},
	}
	for name, tt := range map[string]struct {
		set    string
		looked []string // namespaces of which no pod is looked at
	}{
		"by default": {"replicas=2", []string{"kube-system", "own", "vault"}},
		"included":   {"includeKubeSystem=true", []string{"own", "vault"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]entry{pods: {Excluded: tt.looked}, "serviceaccounts.podpass.io": {Excluded: tt.looked}}
			for name, e := range refused {
				want[name] = e
			}
			got := entries(t, helm, "--namespace", "own", "--set", "excludedNamespaces={vault}", "--set", tt.set)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// entries are those of the webhook configurations that Helm renders, by name.
func entries(t *testing.T, helm string, args ...string) map[string]entry {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), helm, append([]string{"template", "podpass", "../../charts/podpass", "--show-only", "templates/webhook.yaml"}, args...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]entry{}
	for doc := range bytes.SplitSeq(out, []byte("\n---\n")) {
		// The two kinds differ in nothing that is read here.
		var c admissionregistrationv1.ValidatingWebhookConfiguration
		if err := yaml.Unmarshal(doc, &c); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.Webhooks {
			i := slices.IndexFunc(w.NamespaceSelector.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool {
				return r.Key == "kubernetes.io/metadata.name" && r.Operator == "NotIn"
			})
			if i < 0 {
				t.Fatalf("%s excludes no namespace", w.Name)
			}
			all[w.Name] = entry{w.NamespaceSelector.MatchExpressions[i].Values, *w.FailurePolicy == admissionregistrationv1.Fail}
		}
	}
	return all
}
