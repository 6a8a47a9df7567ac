package admission

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// noRoom is the warning that a pod will be refused, or is no longer Guaranteed.
const noRoom = "WI076"

// TestAdmissibleStays: a pod that a namespace's LimitRanges and quotas, and Kubernetes'
// validation, let pass is let pass with the sidecar, and keeps its QoS class where it is
// Guaranteed. Where that cannot be, and only there, a warning says so.
func TestAdmissibleStays(t *testing.T) {
	admissible, warned, guaranteed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t}
		c, raw := g.cluster(), g.pod()
		before, err := c.read(raw)
		if err != nil {
			t.Fatal(err)
		}
		if c.refusal(before) != nil {
			return
		}
		admissible++
		after, warnings := injected(t, c, before)
		refused := c.refusal(after)
		isGuaranteed := class(before) == core.PodQOSGuaranteed
		lost := isGuaranteed && class(after) != core.PodQOSGuaranteed
		if isGuaranteed {
			guaranteed++
		}
		if slices.Contains(warnings, noRoom) {
			warned++
			if refused == nil && !lost {
				t.Errorf("warned of in vain: %s\n%s", allotments(t, after), text(t, c.limits))
			}
			return
		}
		if refused != nil {
			t.Errorf("refused: %v\n%s\n%s", refused, allotments(t, after), text(t, c.limits))
		}
		if lost {
			t.Errorf("%s, and was Guaranteed: %s", class(after), allotments(t, after))
		}
	})
	t.Logf("%d admissible pods, %d of them Guaranteed, %d warned of", admissible, guaranteed, warned)
	if admissible == 0 || guaranteed == 0 || warned > admissible/4 {
		t.Error("the pods that were drawn show nothing")
	}
}

// allotments are what of a pod decides.
func allotments(t *rapid.T, pod *core.Pod) string {
	list := []any{pod.Spec.Resources}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		list = append(list, []any{c.Name, c.RestartPolicy, c.Resources})
	}
	return text(t, list)
}

func text(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// injected is the pod as Kubernetes has it after podpass's patch, and the codes of its
// warnings.
func injected(t *rapid.T, c cluster, pod *core.Pod) (*core.Pod, []string) {
	raw, err := write(pod)
	if err != nil {
		t.Fatal(err)
	}
	p, err := inject.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.limits {
		p.Around.Limits = append(p.Around.Limits, l.Spec.Limits...)
	}
	r, err := inject.Plan(p, serviceaccount.Answer{AWS: &serviceaccount.AWS{
		Grant: serviceaccount.Grant{Mode: serviceaccount.ModeBroker}, Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders", Audience: "sts.amazonaws.com"},
	}}, inject.Settings{Broker: inject.BrokerSettings{Image: "broker"}})
	if err != nil || len(r.Errors) > 0 || r.Patch == nil {
		t.Fatal(err, r.Errors, r.Reason)
	}
	patch, err := jsonpatch.DecodePatch(r.Patch)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = patch.Apply(raw); err != nil {
		t.Fatal(err)
	}
	after, err := c.read(raw)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	return after, codes
}

// generator draws namespaces and pods that often go together.
type generator struct{ *rapid.T }

func (g generator) chance(label string, oneIn int) bool {
	return rapid.IntRange(1, oneIn).Draw(g.T, label) == 1
}

func (g generator) oneOf(label string, values ...string) string {
	return rapid.SampledFrom(values).Draw(g.T, label)
}

// What quantities are drawn from, small to large.
var sizes = map[corev1.ResourceName][]string{
	"cpu":               {"1m", "5m", "20m", "100m", "150m", "200m", "250m", "500m", "1", "2"},
	"memory":            {"1Mi", "16Mi", "20M", "48Mi", "64Mi", "100Mi", "128Mi", "256Mi", "1Gi"},
	"ephemeral-storage": {"1Mi", "64Mi", "1Gi"},
}

var names = slices.Sorted(maps.Keys(sizes))

func (g generator) list(label string, from func(corev1.ResourceName) []string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for _, name := range names {
		if g.chance(label+" "+string(name), 3) {
			list[name] = resource.MustParse(g.oneOf("quantity", from(name)...))
		}
	}
	return list
}

func small(name corev1.ResourceName) []string { return sizes[name][:len(sizes[name])/2+1] }
func large(name corev1.ResourceName) []string { return sizes[name][len(sizes[name])/3:] }
func ratios(corev1.ResourceName) []string {
	return []string{"1", "1100m", "1500m", "2", "3", "10", "40"}
}

func (g generator) cluster() cluster {
	var c cluster
	for range rapid.IntRange(1, 2).Draw(g.T, "LimitRanges") {
		l := &corev1.LimitRange{}
		if g.chance("of containers", 2) {
			item := corev1.LimitRangeItem{Type: corev1.LimitTypeContainer}
			if g.chance("min", 2) {
				item.Min = g.list("min", small)
			}
			if g.chance("max", 2) {
				item.Max = g.list("max", large)
			}
			if g.chance("ratio", 3) {
				item.MaxLimitRequestRatio = g.list("ratio", ratios)
			}
			if g.chance("default", 3) {
				item.Default = g.list("default", large)
			}
			if g.chance("default request", 3) {
				item.DefaultRequest = g.list("default request", small)
			}
			l.Spec.Limits = append(l.Spec.Limits, item)
		}
		if g.chance("of pods", 2) {
			item := corev1.LimitRangeItem{Type: corev1.LimitTypePod, Max: g.list("pod max", large)}
			if g.chance("pod min", 3) {
				item.Min = g.list("pod min", small)
			}
			if g.chance("pod ratio", 3) {
				item.MaxLimitRequestRatio = g.list("pod ratio", ratios)
			}
			l.Spec.Limits = append(l.Spec.Limits, item)
		}
		legacyscheme.Scheme.Default(l)
		c.limits = append(c.limits, l)
	}
	for _, name := range []corev1.ResourceName{"requests.cpu", "requests.memory", "limits.cpu", "limits.memory"} {
		if g.chance("quota", 4) {
			c.quota = append(c.quota, name)
		}
	}
	return c
}

func (g generator) pod() []byte {
	spec := map[string]any{"serviceAccountName": "orders", "automountServiceAccountToken": false}
	guaranteed := g.chance("guaranteed", 3)
	container := func(name string) map[string]any {
		return map[string]any{"name": name, "image": "app", "resources": g.resources(guaranteed)}
	}
	var containers, initial []any
	for i := range rapid.IntRange(1, 2).Draw(g.T, "containers") {
		containers = append(containers, container(fmt.Sprintf("app-%d", i)))
	}
	for i := range rapid.IntRange(0, 2).Draw(g.T, "init containers") {
		c := container(fmt.Sprintf("init-%d", i))
		if g.chance("sidecar", 2) {
			c["restartPolicy"] = "Always"
		}
		initial = append(initial, c)
	}
	spec["containers"] = containers
	if initial != nil {
		spec["initContainers"] = initial
	}
	if g.chance("pod level", 4) {
		spec["resources"] = g.podResources()
	}
	b, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "orders", "namespace": "shop"}, "spec": spec})
	if err != nil {
		g.Fatal(err)
	}
	return b
}

func (g generator) resources(guaranteed bool) corev1.ResourceRequirements {
	if guaranteed {
		list := corev1.ResourceList{}
		for _, name := range names[:1] {
			list[name] = resource.MustParse(g.oneOf("quantity", sizes[name]...))
		}
		list["memory"] = resource.MustParse(g.oneOf("quantity", sizes["memory"]...))
		return corev1.ResourceRequirements{Limits: list, Requests: list.DeepCopy()}
	}
	r := corev1.ResourceRequirements{}
	for _, name := range names {
		have := sizes[name]
		at := rapid.IntRange(0, len(have)-1).Draw(g.T, "request")
		if g.chance("has request", 2) {
			set(&r.Requests, name, have[at])
		}
		if g.chance("has limit", 2) {
			set(&r.Limits, name, have[rapid.IntRange(at, min(at+2, len(have)-1)).Draw(g.T, "limit")])
		}
	}
	return r
}

func (g generator) podResources() corev1.ResourceRequirements {
	r := corev1.ResourceRequirements{}
	for _, name := range []corev1.ResourceName{"cpu", "memory"} {
		if g.chance("pod has "+string(name), 2) {
			have := large(name)
			at := rapid.IntRange(0, len(have)-1).Draw(g.T, "pod request")
			set(&r.Requests, name, have[at])
			if g.chance("pod limit", 2) {
				set(&r.Limits, name, have[rapid.IntRange(at, len(have)-1).Draw(g.T, "pod limit")])
			}
		}
	}
	return r
}

func set(list *corev1.ResourceList, name corev1.ResourceName, text string) {
	if *list == nil {
		*list = corev1.ResourceList{}
	}
	(*list)[name] = resource.MustParse(text)
}
