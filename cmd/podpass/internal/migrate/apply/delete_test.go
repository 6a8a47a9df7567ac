package apply

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/test/statickeys"
)

// deletion: of a Secret that nothing reads all, of one whose other data are read only the
// key; nothing that is not marked, or is read again.
func deletion(t *testing.T, w *world) {
	cases := only(statickeys.Cases("deletion"), "env-secret", "envfrom")
	statickeys.Install(t, w.Cluster, "deletion", cases)
	p := w.plan(t, "deletion")
	var said bytes.Buffer
	r := w.runner(&said)
	secrets := map[string]string{"env-secret": "", "envfrom": "AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION LOG_LEVEL"} // a key's ID is no secret
	for name := range secrets {
		if _, err := r.Delete(t.Context(), secret("deletion", name)); exit.Status(err) != exit.Findings || !strings.Contains(err.Error(), "is not marked as unused") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Walk(t.Context(), p, p.Steps); err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string]bool{"env-secret": true, "envfrom": false} {
		if marked := w.get(t, secret("deletion", name)).GetAnnotations()[graph.KeyUnused] != ""; marked != whole {
			t.Errorf("%s is marked as unused: %t; the policy would refuse who reads it", name, marked)
		}
	}
	w.Do(t, "create", "-n", "deletion", "deployment", "late", "--image=app:1", "--replicas=0")
	w.Do(t, "set", "env", "-n", "deletion", "deployment/late", "--from=secret/env-secret")
	if _, err := r.Delete(t.Context(), secret("deletion", "env-secret")); exit.Status(err) != exit.Findings || !strings.Contains(err.Error(), "is read again, by Deployment deletion/late") {
		t.Errorf("%v", err)
	}
	w.Do(t, "delete", "-n", "deletion", "deployment/late")
	for name, stays := range secrets {
		o := secret("deletion", name)
		r.Approve = false
		if out, err := r.Delete(t.Context(), o); err != nil || out.State != ToDo || len(out.Changes) == 0 {
			t.Errorf("%+v %v", out, err)
		}
		w.get(t, o)
		r.Approve = true
		if out, err := r.Delete(t.Context(), o); err != nil || out.State != Done {
			t.Errorf("%+v %v", out, err)
		}
		u, err := w.objects.Get(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		have := ""
		if u != nil {
			data, _ := u.Object["data"].(map[string]any)
			have = strings.Join(slices.Sorted(maps.Keys(data)), " ")
			if a := u.GetAnnotations(); a[graph.KeyUnusedData] != "" || a[corev1.LastAppliedConfigAnnotation] != "" {
				t.Errorf("%s is marked still, or has its data in an annotation", name)
			}
		}
		if have != stays {
			t.Errorf("%s has %q, want %q", name, have, stays)
		}
	}
}
