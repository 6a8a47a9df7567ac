package chart

import (
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestNothingRefusesTheClusterItself: whatever the values say of namespaces, no entry that
// fails closed is asked about pods of kube-system or of podpass, not even where somebody
// selects them by name or by a label that they have.
func TestNothingRefusesTheClusterItself(t *testing.T) {
	cases := map[string][]string{
		"by name":       {"--set-json", `webhook.namespaceSelector={"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":["kube-system","podpass-system","shop"]}]}`},
		"by label":      {"--set", "webhook.namespaceSelector.matchLabels.podpass=enabled"},
		"included, too": {"--set", "includeKubeSystem=true", "--set", "webhook.namespaceSelector.matchLabels.podpass=enabled"},
		"by its names":  {"--set", "fullnameOverride=kube-system", "--set-json", "excludedNamespaces=[]"},
	}
	for name, file := range matrix(t) {
		cases[name] = []string{"--values", file}
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := 0
			for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, args...)) {
				for _, w := range c.Webhooks {
					if *w.FailurePolicy != admissionregistrationv1.Fail {
						continue
					}
					closed++
					selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
					if err != nil {
						t.Fatal(err)
					}
					for _, namespace := range []string{"kube-system", own} {
						if selector.Matches(labels.Set{"kubernetes.io/metadata.name": namespace, "podpass": "enabled"}) {
							t.Errorf("%s may refuse pods of %s", w.Name, namespace)
						}
					}
				}
			}
			if closed != 2 {
				t.Errorf("%d entries fail closed, want 2", closed)
			}
		})
	}
}

// TestNamespacesByLabel: whole namespaces in or out, in each registration alike, and the
// audit is told, so that it misses nothing in them.
func TestNamespacesByLabel(t *testing.T) {
	for name, test := range map[string]struct {
		values   string
		selected map[string]bool // by the label podpass of a namespace
		audit    string
	}{
		"opt in":  {"testdata/matrix/namespaces-opt-in.yaml", map[string]bool{"": false, "enabled": true, "disabled": false}, "--namespace-selector=podpass=enabled"},
		"opt out": {"testdata/matrix/namespaces-opt-out.yaml", map[string]bool{"": true, "enabled": true, "disabled": false}, "--namespace-selector=podpass notin (disabled),!openshift.io/run-level"},
		"all":     {"testdata/matrix/defaults.yaml", map[string]bool{"": true, "enabled": true, "disabled": true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			all := render(t, "--values", test.values)
			for entry, selector := range selectors(t, all) {
				for value, want := range test.selected {
					set := labels.Set{"kubernetes.io/metadata.name": "shop"}
					if value != "" {
						set["podpass"] = value
					}
					if selector.Matches(set) != want {
						t.Errorf("%s: a namespace with podpass=%q: selected %t", entry, value, !want)
					}
				}
			}
			audit := ""
			for _, arg := range webhook(t, all).Args {
				if len(arg) > 20 && arg[:20] == "--namespace-selector" {
					audit = arg
				}
			}
			if audit != test.audit {
				t.Errorf("the audit has %q, want %q", audit, test.audit)
			}
		})
	}
}

// selectors are those of namespaces, by entry.
func selectors(t *testing.T, all []object) map[string]labels.Selector {
	t.Helper()
	found := map[string]labels.Selector{}
	add := func(name string, s *metav1.LabelSelector) {
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = selector
	}
	for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, all) {
		for _, w := range c.Webhooks {
			add(w.Name, w.NamespaceSelector)
		}
	}
	for _, c := range typed[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all) {
		for _, w := range c.Webhooks {
			add(w.Name, w.NamespaceSelector)
		}
	}
	if len(found) != 6 {
		t.Fatalf("%d entries", len(found))
	}
	return found
}
