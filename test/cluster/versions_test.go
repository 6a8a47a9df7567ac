package cluster

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// TestVersions: what this module and Kubernetes have in common is compiled once, which is
// nearly half of Kubernetes, as long as both require it in one version.
func TestVersions(t *testing.T) {
	ours, kube := required(t, "../.."), required(t, "../kube")
	common := 0
	for module, version := range ours {
		other, ok := kube[module]
		// Kubernetes replaces its own modules, and requires v0.0.0 of most.
		if !ok || other == "v0.0.0" {
			continue
		}
		common++
		if other != version {
			t.Errorf("%s is %s in go.mod and %s in test/kube/go.mod: cd test/kube && go get %s@%s", module, version, other, module, version)
		}
	}
	if common < 20 {
		t.Errorf("only %d modules in common", common)
	}
}

// required are the modules that a go.mod requires, with their versions.
func required(t *testing.T, dir string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, r := range file.Require {
		versions[r.Path] = r.Version
	}
	return versions
}
