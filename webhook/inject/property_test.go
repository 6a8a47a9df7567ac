package inject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"pgregory.net/rapid"
	sigsjson "sigs.k8s.io/json"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

var testSettings = Settings{Broker: BrokerSettings{Image: "podpass.io/broker:test"}}

// apply applies a plan as the API server does.
func apply(t rapid.TB, pod, patch []byte) []byte {
	t.Helper()
	if patch == nil {
		return pod
	}
	p, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Apply(pod)
	if err != nil {
		t.Fatalf("the patch does not apply: %v\n%s\n%s", err, patch, pod)
	}
	return out
}

// operation is one of a patch, as an API server reads it.
type operation struct{ Op, Path string }

func operations(t rapid.TB, patch []byte) []operation {
	t.Helper()
	var ops []operation
	if err := json.Unmarshal(patch, &ops); patch != nil && err != nil {
		t.Fatalf("%v\n%s", err, patch)
	}
	return ops
}

func plan(t rapid.TB, pod []byte, a serviceaccount.Answer) Result {
	t.Helper()
	p, err := Decode(pod)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Plan(p, a, testSettings)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decode(t rapid.TB, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // large integers must survive as well
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// kept reports how got, a patched value, lacks something of want, the original:
// each key with its value, each array's elements in their order, additions before
// or after them but never in between.
func kept(path string, want, got any) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %v became %v", path, want, got)
		}
		for k, v := range w {
			if _, ok := g[k]; !ok {
				return fmt.Errorf("%s: %q is gone", path, k)
			}
			if err := kept(path+"/"+k, v, g[k]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) < len(w) {
			return fmt.Errorf("%s: %v became %v", path, want, got)
		}
		var err error
		for shift := range len(g) - len(w) + 1 {
			err = nil
			for i := range w {
				if err = kept(fmt.Sprintf("%s/%d", path, i), w[i], g[i+shift]); err != nil {
					break
				}
			}
			if err == nil {
				return nil
			}
		}
		return err
	default:
		if !reflect.DeepEqual(want, got) {
			return fmt.Errorf("%s: %v became %v", path, want, got)
		}
		return nil
	}
}

func TestPlanKeepsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, true}
		pod, a := g.pod(), g.answer()
		r := plan(t, pod, a)
		for _, op := range operations(t, r.Patch) {
			if op.Op != "add" {
				t.Fatalf("operation %q at %s", op.Op, op.Path)
			}
		}
		if err := kept("", decode(t, pod), decode(t, apply(t, pod, r.Patch))); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPlanTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, true}
		pod, a := g.pod(), g.answer()
		first := plan(t, pod, a)
		again := plan(t, apply(t, pod, first.Patch), a)
		if again.Patch != nil || len(again.Errors) != len(first.Errors) {
			t.Fatalf("the second plan has %s, errors %v", again.Patch, again.Errors)
		}
		if first.Reason == ReasonInjected && again.Reason != ReasonComplete {
			t.Fatalf("the second plan is %q", again.Reason)
		}
		if !reflect.DeepEqual(first.Injected, again.Injected) {
			t.Fatalf("injected %v, then %v", first.Injected, again.Injected)
		}
	})
}

// Another webhook adds a container after the first plan: only that container, and
// what it alone needs, is in the second.
func TestPlanReinvoked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, true}
		pod, a := g.pod(), g.answer()
		once := apply(t, pod, plan(t, pod, a).Patch)
		n := len(decode(t, once).(map[string]any)["spec"].(map[string]any)["containers"].([]any))
		twice := apply(t, once, []byte(`[{"op":"add","path":"/spec/containers/-","value":{"name":"late","image":"late"}}]`))
		r := plan(t, twice, a)
		if len(r.Errors) > len(plan(t, pod, a).Errors) {
			t.Fatalf("reinvocation denies: %v", r.Errors)
		}
		for _, op := range operations(t, r.Patch) {
			for i := range n {
				if p := (place{"containers", i}).path() + "/"; len(op.Path) > len(p) && op.Path[:len(p)] == p {
					t.Fatalf("an old container is patched again: %v", op)
				}
			}
		}
		if final := apply(t, twice, r.Patch); plan(t, final, a).Patch != nil {
			t.Fatalf("not stable after reinvocation")
		}
	})
}

func TestPlanNothingAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pod := generator{t, true}.pod()
		if r := plan(t, pod, serviceaccount.Answer{}); r.Patch != nil || r.Reason != ReasonNoIdentity {
			t.Fatalf("a pod that needs nothing gets %s (%s)", r.Patch, r.Reason)
		}
	})
}

func TestPlanKeepsAdmissible(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(level api.Level, p *corev1.Pod) bool {
		lv := api.LevelVersion{Level: level, Version: api.LatestVersion()}
		return policy.AggregateCheckResults(evaluator.EvaluatePod(lv, &p.ObjectMeta, &p.Spec)).Allowed
	}
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, false}
		raw, a := g.pod(), g.answer()
		before := typed(t, raw)
		r := plan(t, raw, a)
		after := typed(t, apply(t, raw, r.Patch))
		for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
			if allowed(level, before) != allowed(level, after) {
				t.Fatalf("Pod Security %s: %v before, %v after", level, allowed(level, before), allowed(level, after))
			}
		}
		checkNew(t, before, after)
	})
}

// typed decodes strictly: a field that Kubernetes does not know, or knows under
// another name, is an error.
func typed(t rapid.TB, raw []byte) *corev1.Pod {
	t.Helper()
	var p corev1.Pod
	strict, err := sigsjson.UnmarshalStrict(raw, &p)
	if err != nil || len(strict) > 0 {
		t.Fatalf("not a pod: %v %v\n%s", err, strict, raw)
	}
	return &p
}

// checkNew holds what podpass added against what validation and quotas demand.
func checkNew(t rapid.TB, before, after *corev1.Pod) {
	t.Helper()
	inits := after.Spec.InitContainers
	added := inits[:len(inits)-len(before.Spec.InitContainers)]
	if i := slices.IndexFunc(added, func(c corev1.Container) bool { return c.Name == brokerContainer }); i > 0 {
		t.Fatalf("the sidecar is init container %d", i)
	}
	for _, c := range added {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			_, limit := c.Resources.Limits[name]
			if _, request := c.Resources.Requests[name]; !request || !limit {
				t.Fatalf("%s has no request or limit of %s", c.Name, name)
			}
		}
	}
	volumes := map[string]bool{}
	for _, v := range after.Spec.Volumes {
		if volumes[v.Name] {
			t.Fatalf("volume %s is doubled", v.Name)
		}
		volumes[v.Name] = true
	}
	// The generator may mount v0 and not define it.
	known := func(name string) bool { return volumes[name] || name == "v0" }
	for _, c := range slices.Concat(inits, after.Spec.Containers) {
		paths := map[string]bool{}
		for _, m := range c.VolumeMounts {
			if paths[m.MountPath] || !known(m.Name) {
				t.Fatalf("%s: mount %s of %s is doubled or of no volume", c.Name, m.MountPath, m.Name)
			}
			paths[m.MountPath] = true
		}
		checkNested(t, c)
	}
}

// checkNested: a runtime cannot mount a token within one that is read-only.
func checkNested(t rapid.TB, c corev1.Container) {
	t.Helper()
	for _, m := range c.VolumeMounts {
		for _, in := range c.VolumeMounts {
			if m.Name != "v0" && in.Name != "v0" && canonical(m.MountPath) != canonical(in.MountPath) && below(canonical(m.MountPath), canonical(in.MountPath)) {
				t.Fatalf("%s: %s is mounted within %s", c.Name, m.MountPath, in.MountPath)
			}
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	for name, pod := range map[string]string{
		"empty":              ``,
		"no object":          `[]`,
		"cut off":            `{"metadata":{},"spec":{"containers":[`,
		"no spec":            `{"metadata":{}}`,
		"no metadata":        `{"spec":{}}`,
		"wrong letter case":  `{"Metadata":{},"Spec":{}}`,
		"containers a map":   `{"metadata":{},"spec":{"containers":{}}}`,
		"trailing something": `{"metadata":{},"spec":{}} x`,
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Decode([]byte(pod)); err == nil {
				t.Errorf("no error, but %v", p)
			}
		})
	}
}
