package inject

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// An envFrom is suspected by the name of its Secret alone; a ConfigMap, and a Secret
// whose keys get a prefix and so are none of the SDKs' variables, are not.
func TestSuspectSecrets(t *testing.T) {
	for from, want := range map[string]bool{
		`{"configMapRef":{"name":"aws-settings"}}`:            false,
		`{"secretRef":{"name":"aws-keys"}}`:                   true,
		`{"secretRef":{"name":"AWS-Keys"}}`:                   true,
		`{"secretRef":{"name":"database"}}`:                   false,
		`{"prefix":"MY_","secretRef":{"name":"aws-keys"}}`:    false,
		`{"prefix":"MY_","configMapRef":{"name":"aws-keys"}}`: false,
	} {
		pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","envFrom":[` + from + `]}]}}`)
		r := plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 1))
		if got := len(r.Warnings) == 1 && r.Warnings[0].Code == codeSecretEnvFrom; got != want {
			t.Errorf("%s: warnings %v, want one %t", from, r.Warnings, want)
		}
	}
}

// A container with a static key keeps it, and is warned. AWS's SDKs take it whole, so that
// what is added does no harm; those of the others would mix it with the identity, which
// is therefore withheld, in both modes.
func TestStaticKeyAndIdentity(t *testing.T) {
	for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
		for name, test := range map[string]struct {
			key  string
			want []string
		}{
			"aws":   {"AWS_ACCESS_KEY_ID", []string{"aws", "gcp", "azure"}},
			"gcp":   {"GOOGLE_APPLICATION_CREDENTIALS", []string{"aws", "azure"}},
			"azure": {"AZURE_CLIENT_SECRET", []string{"aws", "gcp"}},
		} {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":[{"name":"` + test.key + `","value":"x"}]}]}}`)
				r := plan(t, pod, benchAnswer(mode, 3))
				var got []string
				for _, i := range r.Injected {
					got = append(got, i.Cloud)
				}
				if d := cmp.Diff(test.want, got); d != "" || len(r.Warnings) == 0 || r.Warnings[0].Code != codeStaticKeys {
					t.Errorf("%s\nwarnings %v", d, r.Warnings)
				}
			})
		}
	}
}

// The name of a Secret is quoted as far as it can be one.
func TestSuspectNameIsClipped(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","envFrom":[{"secretRef":{"name":"aws` + strings.Repeat("x", 10_000) + `"}}]}]}}`)
	r := plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 1))
	if len(r.Warnings) != 1 || len(r.Warnings[0].Value) > 256 {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// With static keys overridden, recent Azure SDKs are told which credentials to try, in
// each mode the ones that the container has.
func TestAzureSelection(t *testing.T) {
	for mode, want := range map[serviceaccount.Mode]string{
		serviceaccount.ModeBroker: "ManagedIdentityCredential", serviceaccount.ModeDirect: "WorkloadIdentityCredential",
	} {
		a := benchAnswer(mode, 3)
		a.AWS, a.GCP, a.StaticKeys = nil, nil, serviceaccount.StaticKeysOverride
		for variable, want := range map[string]string{
			`{"name":"AZURE_CLIENT_SECRET","value":"x"}`: want,
			`{"name":"AZURE_CLIENT_SECRET"}`:             "", // no key, nothing to keep SDKs from
		} {
			pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":[` + variable + `]}]}}`)
			env := map[string]string{}
			for _, e := range typed(t, apply(t, pod, plan(t, pod, a).Patch)).Spec.Containers[0].Env {
				env[e.Name] = e.Value // the last counts
			}
			if env["AZURE_TOKEN_CREDENTIALS"] != want || env["AZURE_CLIENT_SECRET"] != "" {
				t.Errorf("%s, %s: %v", mode, variable, env)
			}
		}
	}
}

// What one pod is told has a bound, and the first problems are kept.
func TestProblemsAreBounded(t *testing.T) {
	var containers []string
	for range 30 {
		containers = append(containers, `{"name":"c","env":[{"name":"AWS_ROLE_ARN","value":"x"}]}`)
	}
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[` + strings.Join(containers, ",") + `]}}`)
	a := benchAnswer(serviceaccount.ModeBroker, 1)
	a.Warnings = []serviceaccount.Problem{{Code: "WI036"}}
	r := plan(t, pod, a)
	if d := cmp.Diff(serviceaccount.MaxProblems, len(r.Warnings)); d != "" || r.Warnings[0].Code != "WI036" {
		t.Errorf("%s\nthe first is %v", d, r.Warnings[0])
	}
}
