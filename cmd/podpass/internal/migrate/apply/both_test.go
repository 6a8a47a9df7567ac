package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// TestBoth: a step does not begin where the key would not win until the rollout.
func TestBoth(t *testing.T) {
	const key = serviceaccount.KeyStaticKeys
	for name, test := range map[string]struct {
		setting      serviceaccount.StaticKeys
		account, pod map[string]string // annotations
		fresh        bool              // the ServiceAccount is a new one
		refused      bool
	}{
		"the default":                  {},
		"warn":                         {setting: "warn"},
		"deny":                         {setting: "deny", refused: true},
		"override":                     {setting: "override", refused: true},
		"warn, of the ServiceAccount":  {setting: "deny", account: map[string]string{key: "warn"}},
		"warn, of the pods":            {setting: "deny", pod: map[string]string{key: "warn"}},
		"deny, of the ServiceAccount":  {account: map[string]string{key: "deny"}, refused: true},
		"deny, of the pods":            {pod: map[string]string{key: "deny"}, refused: true},
		"deny, a new ServiceAccount":   {setting: "deny", fresh: true},
		"others than the pods' or its": {setting: "deny", account: map[string]string{"example.com/static-keys": "warn"}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", Annotations: test.account}}
			r := &Runner{Client: fake.NewClientset(account), Settings: inject.Settings{Installation: serviceaccount.Installation{StaticKeys: test.setting}}}
			annotations := map[string]any{}
			for k, v := range test.pod {
				annotations[k] = v
			}
			object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": map[string]any{
				"metadata": map[string]any{"annotations": annotations}, "spec": map[string]any{},
			}}}}
			s := plan.Step{
				Workload:       graph.Object{Kind: "Deployment", Namespace: "shop", Name: "orders"},
				ServiceAccount: plan.ServiceAccount{Namespace: "shop", Name: "orders", New: test.fresh},
				Removals:       []edit.Removal{{Template: "/spec/template"}},
			}
			err := r.both(t.Context(), s, object)
			if (err != nil) != test.refused {
				t.Fatalf("%v, want refused: %t", err, test.refused)
			}
			if want := "kubectl annotate serviceaccount orders -n shop podpass.io/static-keys=warn, until all its workloads are done"; err != nil && hint.Of(err) != want {
				t.Errorf("hint %q, want %q", hint.Of(err), want)
			}
		})
	}
}
