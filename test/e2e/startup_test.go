package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestStrictStart: a pod that must not start without its credentials starts with them;
// without them it does not, and kubectl says why.
func TestStrictStart(t *testing.T) {
	require(t)
	start(t, `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: strict-stranger
  annotations:
    eks.amazonaws.com/role-arn: `+testbed.AWSRole+`
`,
		pod{name: "strict-trusted", serviceAccount: "aws", sdk: "go", check: "aws", annotations: strictStart}.manifest())
	if o := outcomes(t)["strict-trusted/app/aws"]; !o.OK {
		t.Errorf("with trust: %q", o.Error)
	}

	const name = "strict-stranger"
	if err := bed.Apply(t.Context(), namespace, pod{name: name, serviceAccount: name, sdk: "go", check: "aws", annotations: strictStart}.manifest()); err != nil {
		t.Fatal(err)
	}
	var status struct {
		Init []struct {
			State, LastState struct {
				Terminated struct {
					ExitCode int
					Message  string
				}
			}
		} `json:"initContainerStatuses"`
		Containers []struct {
			State struct{ Waiting *struct{ Reason string } }
		} `json:"containerStatuses"`
	}
	message := ""
	for end := time.Now().Add(time.Minute); message == ""; time.Sleep(500 * time.Millisecond) {
		raw, err := bed.Kubectl(t.Context(), "get", "pod", name, "-n", namespace, "-o", "jsonpath={.status}")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(raw), &status); err != nil {
			t.Fatal(err)
		}
		for _, s := range status.Init {
			message += s.State.Terminated.Message + s.LastState.Terminated.Message
		}
		if time.Now().After(end) {
			t.Fatalf("the broker does not end with a message: %s", raw)
		}
	}
	for _, part := range []string{"podpass.io/strict-start", "AccessDenied", "system:serviceaccount:e2e:strict-stranger"} {
		if !strings.Contains(message, part) {
			t.Errorf("the termination message does not say %q: %s", part, message)
		}
	}
	if len(status.Containers) != 1 || status.Containers[0].State.Waiting == nil {
		t.Errorf("the application is not waiting: %+v", status.Containers)
	}
	if described, err := bed.Kubectl(t.Context(), "describe", "pod", name, "-n", namespace); err != nil || !strings.Contains(described, "strict-start") {
		t.Errorf("kubectl describe does not show why: %v", err)
	}
}

const strictStart = `podpass.io/strict-start: "true"`

// TestInstanceMetadata: a tool that knows EC2's metadata service alone gets the pod's
// role, and only where the pod asks for that.
func TestInstanceMetadata(t *testing.T) {
	require(t)
	start(t,
		pod{name: "imds", serviceAccount: "aws", sdk: "go", check: "aws-imds", annotations: `podpass.io/aws-imds: "true"`}.manifest(),
		pod{name: "imds-not-asked", serviceAccount: "aws", sdk: "go", check: "aws-imds"}.manifest())
	got := outcomes(t)
	if o := got["imds/app/aws-imds"]; !o.OK || !strings.Contains(o.Identity, identities["aws"]) || !strings.Contains(o.Source, "127.0.0.1") {
		t.Errorf("got %q from %s: %s", o.Identity, o.Source, o.Error)
	}
	if o := got["imds-not-asked/app/aws-imds"]; o.OK {
		t.Errorf("not asked for, and yet %q", o.Identity)
	}
}
