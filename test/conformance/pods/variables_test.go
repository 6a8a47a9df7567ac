package pods

import (
	"encoding/json"
	"testing"

	"github.com/podpass-io/podpass/federation/environ"
)

// TestEveryVariable: for each variable whose meaning is known, some case sets it.
func TestEveryVariable(t *testing.T) {
	cases, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, c := range cases {
		var pod admitted
		if err := json.Unmarshal(c.Pod, &pod); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, container := range pod.Spec.Containers {
			for _, e := range container.Env {
				set[e.Name] = true
			}
		}
	}
	for _, v := range environ.Variables() {
		if !set[v.Name] {
			t.Errorf("no case has a container that sets %s, a %s of %s", v.Name, v.Meaning, v.Cloud)
		}
	}
}
