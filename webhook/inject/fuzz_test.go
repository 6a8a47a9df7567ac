package inject

import (
	"encoding/json"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// FuzzPlan holds that no JSON makes the planner panic, that what it plans for a pod
// can be applied, and that it then has nothing left to do.
func FuzzPlan(f *testing.F) {
	f.Add(benchPod(), true)
	f.Add([]byte(`{"metadata":{"labels":null,"annotations":{}},"spec":{"containers":[{"name":"c","env":null,"envFrom":[{}]}],"initContainers":[],"volumes":null}}`), false)
	f.Add([]byte(`{"metadata":{},"spec":{"containers":[{"name":"podpass-broker"},{"env":[{"name":"AWS_ACCESS_KEY_ID","valueFrom":{}}]}],"volumes":[{"name":"podpass-tokens"}]}}`), true)
	f.Add([]byte(`{"metadata":{"labels":{"podpass.io/injected":"x"}},"spec":{"containers":[null],"resources":{"limits":{"cpu":1}}}}`), false)
	for _, pod := range worstPods() {
		f.Add(pod, true)
	}
	f.Fuzz(func(t *testing.T, pod []byte, broker bool) {
		mode := serviceaccount.ModeDirect
		if broker {
			mode = serviceaccount.ModeBroker
		}
		a := benchAnswer(mode, 3)
		a.StaticKeys = serviceaccount.StaticKeysOverride
		// An API server's JSON has each key once.
		var v map[string]any
		if json.Unmarshal(pod, &v) != nil {
			return
		}
		pod, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(pod)
		if err != nil {
			return
		}
		r, err := Plan(p, a, testSettings)
		if len(r.Patch) > maxPatch || said(r) > 128<<10 {
			t.Fatalf("a patch of %d bytes, %d bytes of problems", len(r.Patch), said(r))
		}
		if err != nil || r.Patch == nil {
			return
		}
		patch, err := jsonpatch.DecodePatch(r.Patch)
		if err != nil {
			t.Fatal(err)
		}
		out, err := patch.Apply(pod)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, r.Patch, pod)
		}
		patched, err := Decode(out)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Plan(patched, a, testSettings)
		if err != nil {
			t.Fatal(err)
		}
		if again.Patch != nil {
			t.Fatalf("the second plan has %s\n%s", again.Patch, out)
		}
	})
}
