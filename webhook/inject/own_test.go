package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestPlanAfterAnother: a pod that was planned for other identities, modes and ports gets
// the containers, volumes and mounts that it would have got at once, in the same order,
// and nothing of the user's is lost.
func TestPlanAfterAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, false}
		raw, first, a := g.pod(), g.answer(), g.answer()
		// What the pod itself says, another call is told too; and a key once overridden stays so.
		a.SkipContainers, a.StaticKeys = first.SkipContainers, first.StaticKeys
		first.BrokerPort = 19911
		fresh := plan(t, raw, a)
		before := plan(t, raw, first)
		if before.Patch == nil || len(fresh.Errors) > 0 || len(fresh.Injected) == 0 {
			t.Skip("nothing to compare")
		}
		planned := apply(t, raw, before.Patch)
		r := plan(t, planned, a)
		if len(r.Errors) > 0 {
			t.Fatalf("denied: %v", r.Errors)
		}
		final := apply(t, planned, r.Patch)
		if d := cmp.Diff(shape(typed(t, apply(t, raw, fresh.Patch))), shape(typed(t, final))); d != "" {
			t.Fatal(d)
		}
		if again := plan(t, final, a); again.Patch != nil {
			t.Fatalf("not stable: %s", again.Patch)
		}
		if strings.Contains(string(final), "127.0.0.1:19911") {
			t.Fatalf("the first broker's address is left: %s", final)
		}
	})
}

// shape is what is compared of two pods.
func shape(p *corev1.Pod) []string {
	var list []string
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		list = append(list, "container "+c.Name)
		var own []string
		for _, m := range c.VolumeMounts {
			own = append(own, fmt.Sprintf("%s mounts %s at %s", c.Name, m.Name, m.MountPath))
		}
		for _, e := range c.Env {
			switch e.Name {
			case "AWS_CONTAINER_CREDENTIALS_FULL_URI", "GCE_METADATA_HOST", "IDENTITY_ENDPOINT", "PODPASS_TOKEN_URL", "PODPASS_IDENTITIES",
				"AWS_WEB_IDENTITY_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_FEDERATED_TOKEN_FILE":
				if e.Value != "" { // a key that was overridden stays so
					own = append(own, fmt.Sprintf("%s has %s=%s", c.Name, e.Name, e.Value))
				}
			}
		}
		slices.Sort(own)
		list = append(list, own...)
	}
	var volumes []string
	for _, v := range p.Spec.Volumes {
		raw, _ := json.Marshal(v)
		volumes = append(volumes, string(raw))
	}
	slices.Sort(volumes)
	return append(list, volumes...)
}

// TestOwnContainerIsMovedAsItIs: another webhook gave the sidecar an image, from the
// registry that it demands; it stays so when the sidecar has to go to another place.
func TestOwnContainerIsMovedAsItIs(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`)
	a := benchAnswer(serviceaccount.ModeBroker, 1)
	injected := apply(t, pod, plan(t, pod, a).Patch)
	changed := apply(t, injected, []byte(`[{"op":"add","path":"/spec/initContainers/0/image","value":"mirror.example.com/broker"},
		{"op":"add","path":"/spec/initContainers/0","value":{"name":"first","image":"first"}}]`))
	got := typed(t, apply(t, changed, plan(t, changed, a).Patch)).Spec.InitContainers
	if len(got) != 2 || got[0].Name != brokerContainer || got[0].Image != "mirror.example.com/broker" || got[1].Name != "first" {
		t.Errorf("%+v", got)
	}
}
