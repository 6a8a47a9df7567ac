package inject

import (
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestLabelHolds: podpass's label is true of a pod that has what it says, by name and
// content, and of no other.
func TestLabelHolds(t *testing.T) {
	const (
		sidecar = `"initContainers":[{"name":"podpass-broker","env":[{"name":"PODPASS_IDENTITIES","value":"{}"}]}]`
		named   = `"initContainers":[{"name":"podpass-broker"}]`
		writer  = `"initContainers":[{"name":"podpass-gcp-config","env":[{"name":"PODPASS_FILE","value":"{}"}]}]`
		token   = `"projected":{"sources":[{"serviceAccountToken":{"audience":"a","path":"token"}}]}`
		mixed   = `"projected":{"sources":[{"serviceAccountToken":{"audience":"a","path":"token"}},{"configMap":{"name":"c"}}]}`
	)
	volume := func(name, source string) string { return `"volumes":[{"name":"` + name + `",` + source + `}]` }
	for name, test := range map[string]struct {
		label, spec string
		want        bool
	}{
		"broker":                           {"broker", sidecar, true},
		"broker, by a container's name":    {"broker", named, false},
		"broker, by another of podpass's":  {"broker", writer, false},
		"broker, by a token":               {"broker", volume("aws-iam-token", token), false},
		"direct":                           {"direct", volume("aws-iam-token", token), true},
		"direct to GCP":                    {"direct", volume("gcp-iam-token", token), true},
		"direct to Azure":                  {"direct", volume("azure-identity-token", token), true},
		"direct, plain tokens":             {"direct", volume("podpass-oidc-tokens", token), true},
		"direct to another cluster":        {"direct", volume("podpass-kube-tokens", token), true},
		"direct, by a volume's name":       {"direct", volume("aws-iam-token", `"emptyDir":{}`), false},
		"direct, by a volume of more":      {"direct", volume("aws-iam-token", mixed), false},
		"direct, by a token of the user's": {"direct", volume("vault", token), false},
		"direct, by a sidecar":             {"direct", sidecar, false},
		"another value":                    {"yes", sidecar, false},
		"no label":                         {"", sidecar, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Decode([]byte(`{"metadata":{"labels":{"podpass.io/injected":"` + test.label + `"}},"spec":{` + test.spec + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.LabelHolds(); got != test.want || err != nil {
				t.Errorf("%t, %v", got, err)
			}
		})
	}
	p, err := Decode([]byte(`{"metadata":{"labels":{"podpass.io/injected":"broker"}},"spec":{"containers":[{"env":5}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.LabelHolds(); err == nil {
		t.Error("no error of a pod that cannot be read")
	}
}

// TestVariableWithoutAName: no API server takes one, but podpass sees it first. It names no
// token's file.
func TestVariableWithoutAName(t *testing.T) {
	for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
		mounts := func(env string) int {
			pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":[` + env + `]}]}}`)
			return len(typed(t, apply(t, pod, plan(t, pod, benchAnswer(mode, 3)).Patch)).Spec.Containers[0].VolumeMounts)
		}
		if with, without := mounts(`{"name":"","value":"/var/run/secrets/own/token"}`), mounts(""); with != without {
			t.Errorf("%s: %d mounts, and %d without the variable", mode, with, without)
		}
	}
}

// TestOwnSourceFromASecret: a container that has its own source by a reference keeps it, as
// one that has it by value does.
func TestOwnSourceFromASecret(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p","namespace":"shop"},"spec":{"containers":[{"name":"c","env":[{"name":"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}]}}`)
	r := plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 1))
	if len(r.Injected) != 0 || len(r.Warnings) != 1 || r.Warnings[0].Code != codeOwnCredentials ||
		r.Warnings[0].Where != "Pod shop/p container c variable AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" {
		t.Errorf("injected %v, warnings %v", r.Injected, r.Warnings)
	}
}
