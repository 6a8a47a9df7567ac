package testbed

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNotes: what Helm says after an installation is about that installation.
func TestNotes(t *testing.T) {
	helm, err := Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		sets       []string
		says, hush []string
	}{
		"no values": {nil,
			[]string{"all namespaces but kube-system, own.", "no cloud yet", "podpass's own, renewed", "none: see the value policies", "none: see the value metrics", "helm test podpass -n own --logs", "podpass trust aws my-app", "-l app.kubernetes.io/instance=podpass"},
			[]string{"userErrors", "token sources"}},
		"Google, by cert-manager, in direct mode": {[]string{"gcp.defaultProvider=projects/1/locations/global/workloadIdentityPools/pool/providers/demo", "certManager.enabled=true", "mode=direct", "userErrors=warn", "excludedNamespaces={vault}"},
			[]string{"but kube-system, own, vault.", "gcp", "by cert-manager", "mode: direct", "userErrors: warn", "iam.gke.io/gcp-service-account=", "podpass trust gcp my-app"},
			[]string{"no cloud yet", "eks.amazonaws.com"}},
		"Azure and a token source": {[]string{"azure.tenantID=99999999-8888-7777-6666-555555555555", "oidc.tokenSources.keycloak.tokenURL=https://login.example.com/token", "oidc.tokenSources.keycloak.audience=keycloak", "replicas=3"},
			[]string{"azure; token sources keycloak", "azure.workload.identity/client-id=", "Replicas       3"}, []string{"eks.amazonaws.com"}},
		"guard rails, monitoring and a Secret's certificate": {[]string{"policies.staticKeys.mode=warn", "policies.registrations.mode=enforce", "metrics.service.enabled=true", "metrics.dashboard.enabled=true", "servingCertificate.existingSecret=tls", "webhook.annotations.cert-manager\\.io/inject-ca-from-secret=own/tls"},
			[]string{"registrations (enforce), staticKeys (warn)", "service, dashboard", "of the Secret tls"}, []string{"see the value policies", "see the value metrics", "podpass's own, renewed"}},
		"nothing to test": {[]string{"excludedNamespaces={default}"}, []string{"podpass doctor -n own"}, []string{"helm test"}},
	} {
		t.Run(name, func(t *testing.T) {
			notes := notesOf(t, helm, tt.sets)
			for _, s := range tt.says {
				if !strings.Contains(notes, s) {
					t.Errorf("they do not say %q:\n%s", s, notes)
				}
			}
			for _, s := range tt.hush {
				if strings.Contains(notes, s) {
					t.Errorf("they say %q:\n%s", s, notes)
				}
			}
		})
	}
}

// notesOf renders NOTES.txt, without a cluster.
func notesOf(t *testing.T, helm string, sets []string) string {
	t.Helper()
	args := []string{"install", "podpass", "../../charts/podpass", "--namespace", "own", "--dry-run=client"}
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	cmd := exec.CommandContext(t.Context(), helm, args...)
	cmd.Stderr = t.Output()
	cmd.Env = append(cmd.Environ(), "KUBECONFIG=/dev/null")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, notes, ok := strings.Cut(string(out), "NOTES:\n")
	if !ok {
		t.Fatalf("no notes:\n%s", out)
	}
	return notes
}

// TestHelmTestIsRefused: a test that proves nothing is a mistake, and says what to write.
func TestHelmTestIsRefused(t *testing.T) {
	helm, err := Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string]string{
		"tests.serviceAccount=kube-system/orders": "tests.serviceAccount: no pod of namespace kube-system is injected",
		"tests.namespace=own":                     "tests.namespace: no pod of namespace own is injected",
		"tests.serviceAccount=orders":             "does not match pattern",
	} {
		t.Run(set, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), helm, "template", "podpass", "../../charts/podpass", "--namespace", "own", "--set", set).CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v, want %q: %s", err, want, out)
			}
		})
	}
}
