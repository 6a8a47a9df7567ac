package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

// identities are how each cloud names the identity of the examples.
var identities = map[string]string{
	"aws":   "arn:aws:sts::111122223333:assumed-role/orders/",
	"gcp":   testbed.GCPAccount,
	"azure": testbed.AzureClient,
}

// TestSDKs: three clouds, two languages, two modes, each in a pod of its own.
func TestSDKs(t *testing.T) {
	require(t)
	var manifests []string
	for _, mode := range []string{"broker", "direct"} {
		for _, sdk := range []string{"go", "js"} {
			for cloud := range identities {
				manifests = append(manifests, pod{name: cloud + "-" + sdk + "-" + mode, serviceAccount: cloud, sdk: sdk, check: cloud, mode: mode}.manifest())
			}
		}
	}
	start(t, manifests...)
	got := outcomes(t)
	for _, mode := range []string{"broker", "direct"} {
		for _, sdk := range []string{"go", "js"} {
			for cloud, identity := range identities {
				name := cloud + "-" + sdk + "-" + mode
				o := got[name+"/app/"+cloud]
				if !o.OK || !strings.Contains(o.Identity, identity) {
					t.Errorf("%s: got identity %q, want %q; error: %s", name, o.Identity, identity, o.Error)
				}
				if fromBroker := strings.Contains(o.Source, "127.0.0.1"); fromBroker != (mode == "broker") {
					t.Errorf("%s: credentials came from %s", name, o.Source)
				}
				if !o.Expires.IsZero() && time.Until(o.Expires) < 10*time.Minute {
					t.Errorf("%s: credentials end at %s, too soon for an SDK", name, o.Expires)
				}
			}
		}
	}
}

// TestAllCloudsInOnePod: and an ID token, in both languages.
func TestAllCloudsInOnePod(t *testing.T) {
	require(t)
	start(t,
		pod{name: "all-go", serviceAccount: "all-clouds", sdk: "go", check: "all"}.manifest(),
		pod{name: "all-js", serviceAccount: "all-clouds", sdk: "js", check: "all"}.manifest())
	got := outcomes(t)
	for _, name := range []string{"all-go", "all-js"} {
		for _, cloud := range []string{"aws", "gcp", "azure", "gcp-idtoken"} {
			if o := got[name+"/app/"+cloud]; !o.OK {
				t.Errorf("%s: %s: %q", name, cloud, o.Error)
			}
		}
		// The application's token for the API server is not the sidecar's.
		if volumes, err := bed.Kubectl(t.Context(), "get", "pod", name, "-n", namespace, "-o", "jsonpath={.spec.initContainers[0].volumeMounts[*].name}"); err != nil || volumes != "podpass-tokens podpass-tokens" {
			t.Errorf("%s: the sidecar mounts %q: %v", name, volumes, err)
		}
	}
}

// TestS3: a real S3 that nobody of this project wrote takes the credentials.
func TestS3(t *testing.T) {
	require(t)
	start(t,
		pod{name: "s3-go", serviceAccount: "s3", sdk: "go", check: "s3", env: s3Env}.manifest(),
		pod{name: "s3-js", serviceAccount: "s3", sdk: "js", check: "s3", env: s3Env}.manifest(),
		pod{name: "s3-direct", serviceAccount: "s3", sdk: "go", check: "s3", env: s3Env, mode: "direct"}.manifest())
	got := outcomes(t)
	for _, name := range []string{"s3-go", "s3-js", "s3-direct"} {
		if o := got[name+"/app/s3"]; !o.OK {
			t.Errorf("%s: %s", name, o.Error)
		}
	}
}

// TestInitContainerAndJob: an init container has credentials, and a Job completes
// although it has a sidecar.
func TestInitContainerAndJob(t *testing.T) {
	require(t)
	start(t)
	if err := bed.ApplyExamples(t.Context(), namespace, "40-init-container.yaml", "50-job.yaml"); err != nil {
		t.Fatal(err)
	}
	got := outcomes(t)
	if o := got["init-container/migrate/aws"]; !o.OK {
		t.Errorf("init container: %q", o.Error)
	}
	if out, err := bed.Kubectl(t.Context(), "wait", "--for=condition=complete", "job/backup", "-n", namespace, "--timeout=60s"); err != nil {
		t.Errorf("the Job does not complete: %v %s", err, out)
	}
	if out, err := bed.Kubectl(t.Context(), "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/init-container", "-n", namespace, "--timeout=60s"); err != nil {
		t.Errorf("the pod does not end: %v %s", err, out)
	}
}

const s3Env = "[{name: SDK_S3_BUCKET, value: " + testbed.Bucket + "}]"

// TestOIDC: tokens for whatever else trusts the cluster. A plain one is a file, in
// either mode and without a sidecar; the access token of an OAuth 2.0 server comes
// from the broker, and that server knows it again.
func TestOIDC(t *testing.T) {
	require(t)
	const files = `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: oidc-files
  annotations: {podpass.io/oidc-audiences: "vault=https://vault.example.com"}
`
	const file = "{name: SDK_TOKEN_FILE, value: /var/run/secrets/podpass.io/oidc/vault}"
	start(t,
		files,
		pod{name: "oidc", serviceAccount: "oidc", sdk: "go", check: "oidc", env: "[" + file + ", {name: SDK_TOKEN_SOURCE, value: " + testbed.TokenSource + "}]"}.manifest(),
		pod{name: "oidc-files", serviceAccount: "oidc-files", sdk: "go", check: "oidc", env: "[" + file + "]"}.manifest(),
		pod{name: "oidc-files-direct", serviceAccount: "oidc-files", sdk: "go", check: "oidc", mode: "direct", env: "[" + file + "]"}.manifest())
	got := outcomes(t)
	for name, want := range map[string]string{
		"oidc":              "file: system:serviceaccount:e2e:oidc for https://vault.example.com; registry: " + testbed.OAuthUser,
		"oidc-files":        "file: system:serviceaccount:e2e:oidc-files for https://vault.example.com",
		"oidc-files-direct": "file: system:serviceaccount:e2e:oidc-files for https://vault.example.com",
	} {
		if o := got[name+"/app/oidc"]; !o.OK || o.Identity != want {
			t.Errorf("%s: %q, want %q: %s", name, o.Identity, want, o.Error)
		}
	}
	for name, want := range map[string]string{"oidc": "podpass-broker", "oidc-files": "", "oidc-files-direct": ""} {
		if names, err := bed.Kubectl(t.Context(), "get", "pod", name, "-n", namespace, "-o", "jsonpath={.spec.initContainers[*].name}"); err != nil || strings.TrimSpace(names) != want {
			t.Errorf("%s has init containers %q, want %q: %v", name, names, want, err)
		}
	}
}
