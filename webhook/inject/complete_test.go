package inject

import (
	"encoding/json"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// A pod that has everything but the label, which somebody has taken off, lacks no
// identity: the audit does not report it, and the label comes back.
func TestAllButTheLabel(t *testing.T) {
	for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
		a := benchAnswer(mode, 3)
		pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`)
		var injected map[string]any
		if err := json.Unmarshal(apply(t, pod, plan(t, pod, a).Patch), &injected); err != nil {
			t.Fatal(err)
		}
		delete(injected["metadata"].(map[string]any), "labels")
		bare, err := json.Marshal(injected)
		if err != nil {
			t.Fatal(err)
		}
		r := plan(t, bare, a)
		if len(r.Missing) > 0 || len(r.Injected) != 3 || typed(t, apply(t, bare, r.Patch)).Labels[InjectedLabel] != string(mode) {
			t.Errorf("%s: %v, %s", mode, r.Missing, r.Patch)
		}
	}
}
