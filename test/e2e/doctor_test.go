package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestDoctor: of a pod that runs and has its credentials podpass doctor finds nothing; of
// one that AWS does not trust it finds what the pod's own broker says, which it asks by exec.
func TestDoctor(t *testing.T) {
	require(t)
	start(t, `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: stranger
  annotations:
    eks.amazonaws.com/role-arn: `+testbed.AWSRole+`
`, idle("sound", "aws"), idle("refused", "stranger"))
	if _, err := bed.Kubectl(t.Context(), "wait", "--for=condition=Ready", "pod/sound", "pod/refused", "-n", namespace, "--timeout=120s"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"sound": nil, "refused": {"WI183"}} {
		if got, text := diagnose(t, name); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v: %s", name, got, want, text)
		}
	}
}

// diagnose is what podpass doctor finds of a pod, by code, without what is only information.
func diagnose(t *testing.T, pod string) (codes []string, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bed.Podpass(), "doctor", "pod/"+pod, "-n", namespace, "-o", "json", "--kubeconfig", bed.Kubeconfig, "--issuer-ca", bed.CAFile)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("%s: %v: %s", pod, err, out)
	}
	var report struct {
		Findings []struct{ Code, Severity, Check, Message, Seen string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%s: %v: %s", pod, err, out)
	}
	for _, f := range report.Findings {
		if f.Severity != "info" {
			codes = append(codes, f.Code)
		}
	}
	return codes, fmt.Sprintf("%+v", report.Findings)
}

// idle is a pod with an identity that runs until it is removed.
func idle(name, account string) string {
	m := pod{name: name, serviceAccount: account, sdk: "go", check: "aws"}.manifest()
	return strings.Replace(m, "image: "+testbed.GoSDKImage, "image: podpass.io/pause:dev", 1)
}
