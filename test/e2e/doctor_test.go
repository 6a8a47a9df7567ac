package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestDoctor: of a pod that runs and has its credentials podpass doctor finds nothing; of
// one that AWS does not trust it finds what the pod's own broker says, which it asks by exec.
func TestDoctor(t *testing.T) {
	require(t)
	program := filepath.Join(t.TempDir(), "podpass")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/podpass-io/podpass/cmd/podpass")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	running := func(name, account string) string {
		m := pod{name: name, serviceAccount: account, sdk: "go", check: "aws"}.manifest()
		return strings.Replace(m, "image: "+testbed.GoSDKImage, "image: podpass.io/pause:dev", 1)
	}
	start(t, `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: stranger
  annotations:
    eks.amazonaws.com/role-arn: `+testbed.AWSRole+`
`, running("sound", "aws"), running("refused", "stranger"))
	if _, err := bed.Kubectl(t.Context(), "wait", "--for=condition=Ready", "pod/sound", "pod/refused", "-n", namespace, "--timeout=120s"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"sound": nil, "refused": {"WI183"}} {
		cmd := exec.CommandContext(t.Context(), program, "doctor", "pod/"+name, "-n", namespace, "-o", "json", "--kubeconfig", bed.Kubeconfig, "--issuer-ca", bed.CAFile)
		out, err := cmd.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		var report struct {
			Findings []struct{ Code, Severity, Check, Message, Seen string }
		}
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		var got []string
		for _, f := range report.Findings {
			if f.Severity != "info" {
				got = append(got, f.Code)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v: %+v", name, got, want, report.Findings)
		}
	}
}
