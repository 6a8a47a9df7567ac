package chart

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

var update = flag.Bool("update", false, "write the goldens and the chart's README anew")

const (
	chartDir = "../../charts/podpass"
	// own is the release's namespace.
	own = "podpass-system"
	// kubeVersion of renderings that no cluster is asked for.
	kubeVersion = "1.37.0"
)

// helm runs Helm, without anything of the person's own, and gives its standard output; its
// error has what it wrote to standard error.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	binary, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = errors.New(strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}

// render gives the objects of the chart with these arguments, without those that are there
// for `helm test` only.
func render(t *testing.T, args ...string) []object {
	t.Helper()
	return renderAll(t, append(args, "--no-hooks")...)
}

// renderAll gives all objects of the chart with these arguments.
func renderAll(t *testing.T, args ...string) []object {
	t.Helper()
	out, err := helm(t, slices.Concat([]string{"template", "podpass", chartDir, "--namespace", own, "--kube-version", kubeVersion}, args)...)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, out)
}

// matrix are the values files by name: those of testdata, and the platforms'.
func matrix(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for prefix, pattern := range map[string]string{"": "testdata/matrix/*.yaml", "platform-": chartDir + "/values/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			all[prefix+strings.TrimSuffix(filepath.Base(f), ".yaml")] = f
		}
	}
	return all
}
