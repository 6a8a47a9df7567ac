package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLinksNoAPIServer: what judges an API server's configuration brings a good part of an
// API server with it, and is for the command line alone.
func TestLinksNoAPIServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for pkg := range strings.FieldsSeq(string(out)) {
		seen++
		for _, refused := range []string{"k8s.io/apiserver/", "github.com/coreos/go-oidc", "github.com/podpass-io/podpass/federation/trust"} {
			if strings.HasPrefix(pkg, refused) {
				t.Errorf("the webhook links %s", pkg)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d packages are listed", seen)
	}
}
