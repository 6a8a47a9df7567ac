package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLinksNoKubernetes: one broker runs in every pod; it never talks to
// Kubernetes, and must not pay for its client. Nor for tests and metrics.
func TestLinksNoKubernetes(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, refused := range []string{"k8s.io/", "sigs.k8s.io/", "github.com/prometheus/", "github.com/spf13/", "github.com/lestrrat-go/", "testing"} {
			if pkg == refused || strings.HasSuffix(refused, "/") && strings.HasPrefix(pkg, refused) {
				t.Errorf("the broker links %s", pkg)
			}
		}
	}
}
