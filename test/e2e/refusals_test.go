package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestMalformedAnnotation: the author of the pod reads what is wrong, and the fix.
func TestMalformedAnnotation(t *testing.T) {
	require(t)
	start(t, `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: malformed
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1234:role/orders"}
`)
	err := bed.Apply(t.Context(), namespace, pod{name: "malformed", serviceAccount: "malformed", sdk: "go", check: "aws"}.manifest())
	if err == nil {
		t.Fatal("the pod was admitted")
	}
	for _, part := range []string{"denied the request", "WI001", "eks.amazonaws.com/role-arn", "arn:aws:iam::1234:role/orders", "twelve digits", "fix: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the denial does not say %q: %v", part, err)
		}
	}
}

// TestRefusedByTheCloud: the SDK's own error text shows the cloud's cause and the
// broker's hint, and the pod still starts.
func TestRefusedByTheCloud(t *testing.T) {
	require(t)
	start(t, `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: stranger
  annotations:
    eks.amazonaws.com/role-arn: `+testbed.AWSRole+`
    podpass.io/gcp-provider: `+testbed.GCPProvider+`
    podpass.io/gcp-service-account: `+testbed.GCPAccount+`
    azure.workload.identity/client-id: `+testbed.AzureClient+`
    azure.workload.identity/tenant-id: `+testbed.AzureTenant+`
`,
		pod{name: "stranger-go", serviceAccount: "stranger", sdk: "go", check: "all"}.manifest(),
		pod{name: "stranger-js", serviceAccount: "stranger", sdk: "js", check: "all"}.manifest())
	got := outcomes(t)
	const subject = "system:serviceaccount:e2e:stranger"
	for key, parts := range map[string][]string{
		"stranger-go/app/aws":   {"Not authorized to perform sts:AssumeRoleWithWebIdentity", subject},
		"stranger-go/app/gcp":   {"iam.serviceAccounts.getAccessToken", subject},
		"stranger-go/app/azure": {"AADSTS700213", subject},
		"stranger-js/app/gcp":   {"iam.serviceAccounts.getAccessToken", subject},
		"stranger-js/app/azure": {"AADSTS700213", subject},
	} {
		o := got[key]
		if o.OK {
			t.Errorf("%s: a ServiceAccount that no cloud trusts got credentials", key)
		}
		for _, part := range parts {
			if !strings.Contains(o.Error, part) {
				t.Errorf("%s: the SDK's error does not show %q: %s", key, part, o.Error)
			}
		}
	}
	if o := got["stranger-js/app/aws"]; o.OK {
		t.Error("stranger-js got AWS credentials")
	}
	// The JavaScript SDK for AWS shows no body: the pod's log has to tell.
	log, err := bed.Kubectl(t.Context(), "logs", "stranger-js", "-c", "podpass-broker", "-n", namespace)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log, "Not authorized to perform sts:AssumeRoleWithWebIdentity") {
		t.Errorf("the broker's log does not show why:\n%s", log)
	}
}

// secrets are the forms of what must never be printed: JWTs and the credentials
// of the stand-ins.
var secrets = regexp.MustCompile(`eyJ[\w-]{10,}\.[\w-]+|ya29\.\w+|FwoGZXIvYXdz\w+`)

// TestNothingSecretIsLogged: in the brokers' and the webhook's logs, at debug level.
func TestNothingSecretIsLogged(t *testing.T) {
	require(t)
	if err := install(t.Context(), "--set", "broker.logLevel=debug", "--set", "logLevel=debug"); err != nil {
		t.Fatal(err)
	}
	start(t, pod{name: "debugged", serviceAccount: "all-clouds", sdk: "go", check: "all"}.manifest())
	outcomes(t)
	broker, err := bed.Kubectl(t.Context(), "logs", "debugged", "-c", "podpass-broker", "-n", namespace)
	if err != nil {
		t.Fatal(err)
	}
	webhook, err := bed.Kubectl(t.Context(), "logs", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, "--tail=-1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(broker, "Got credentials") || !strings.Contains(webhook, "Reviewed pod") {
		t.Fatal("the logs do not tell what happened: there is nothing to check")
	}
	for name, log := range map[string]string{"broker": broker, "webhook": webhook} {
		if found := secrets.FindString(log); found != "" {
			t.Errorf("the %s's log holds a secret that begins with %.12s", name, found)
		}
	}
}
