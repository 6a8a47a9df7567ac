package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/program"
)

// TestLinksNoKubernetes: one broker runs in every pod; it never talks to
// Kubernetes, and must not pay for its client. Nor for tests, metrics, and expressions.
func TestLinksNoKubernetes(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, refused := range []string{"k8s.io/", "sigs.k8s.io/", "github.com/prometheus/", "github.com/spf13/", "github.com/lestrrat-go/", "github.com/google/cel-go/", "testing"} {
			if pkg == refused || strings.HasSuffix(refused, "/") && strings.HasPrefix(pkg, refused) {
				t.Errorf("the broker links %s", pkg)
			}
		}
	}
}

// TestStartsSmall holds down what the process takes before main begins: a regular
// expression with {1,256} of a Unicode class once cost each pod 10 MiB.
func TestStartsSmall(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "podpass-broker")
	if err := program.Build(t.Context(), dir, "."); err != nil {
		t.Fatal(err)
	}
	version := exec.CommandContext(t.Context(), binary, "version")
	version.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := version.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// "init net/http @0.5 ms, 0.02 ms clock, 4712 bytes, 50 allocs"
	inits := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes,`).FindAllStringSubmatch(string(out), -1)
	if len(inits) == 0 {
		t.Fatalf("no trace of initialization:\n%s", out)
	}
	total := 0
	for _, i := range inits {
		size, err := strconv.Atoi(i[2])
		if err != nil {
			t.Fatal(err)
		}
		if total += size; size > 512<<10 {
			t.Errorf("the initialization of %s takes %d KiB", i[1], size>>10)
		}
	}
	if total > 1<<20 {
		t.Errorf("all initialization takes %d KiB", total>>10)
	}
	t.Logf("all initialization takes %d KiB", total>>10)
}
