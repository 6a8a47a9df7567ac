package clusters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// manifest is that of docs/clusters.md whose kind is given, with what the page stands in for.
func (w *world) manifest(t *testing.T, kind string, replaced ...string) string {
	t.Helper()
	_, text, ok := strings.Cut(readFile(t, "../../docs/clusters.md"), "    kind: "+kind+"\n")
	text, _, ok2 := strings.Cut(text, "\n\n")
	if !ok || !ok2 {
		t.Fatalf("docs/clusters.md has no %s", kind)
	}
	text = "kind: " + kind + "\n" + strings.ReplaceAll("\n"+text, "\n    ", "\n")
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(text, replaced[i]) {
			t.Fatalf("the %s of docs/clusters.md has no %q", kind, replaced[i])
		}
		text = strings.ReplaceAll(text, replaced[i], replaced[i+1])
	}
	return text
}

// foreign builds a program of other people's code, a module of its own.
func foreign(t *testing.T, module string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), module)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, ".")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", module, err, out)
	}
	return program
}

// whois has such a program say who it is at prod-us.
func whois(t *testing.T, kubeconfig, input, program string, args ...string) (user, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + kubeconfig}
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return user{}, &refusal{stderr.String()}
	}
	var u user
	return u, json.Unmarshal(out, &u)
}

type refusal struct{ said string }

func (e *refusal) Error() string { return e.said }

// argoCD: Argo CD's own code takes the Secret of the page, asks the shell for the token, and
// for the next one when the file has another.
func (w *world) argoCD(t *testing.T) {
	secret := w.manifest(t, "Secret",
		"https://prod-us.example.com:6443", w.us.Server,
		"<the CA, in base64>", base64.StdEncoding.EncodeToString([]byte(readFile(t, w.us.CAFile))),
		"/var/run/secrets/podpass.io/oidc/prod-us", w.tokenFile("orders"))
	program := foreign(t, "argocd")
	first, err := whois(t, "", secret, program)
	if err != nil || first.Username != "prod-eu:system:serviceaccount:shop:orders" {
		t.Errorf("%+v, %v", first, err)
	}
	replace(t, w.tokenFile("orders"), w.token(t, "orders", audience))
	next, err := whois(t, "", secret, program)
	if err != nil || next.token() == first.token() {
		t.Errorf("after the file was replaced: %+v, %v", next, err)
	}
	w.until(t, secret)
}

// until: the shell's line says that the credential is good for five minutes, after which
// client-go asks again.
func (w *world) until(t *testing.T, secret string) {
	t.Helper()
	_, config, _ := strings.Cut(secret, "config: |\n")
	var c struct {
		Exec struct {
			Command string
			Args    []string
		} `json:"execProviderConfig"`
	}
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), c.Exec.Command, c.Exec.Args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var credential struct {
		Status struct{ ExpirationTimestamp time.Time }
	}
	if err := json.Unmarshal(out, &credential); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(credential.Status.ExpirationTimestamp); left < 4*time.Minute || left > 6*time.Minute {
		t.Errorf("good for %v", left)
	}
}

// fluxSecret: Flux refuses the kubeconfig that podpass gives pods, by its file.
func (w *world) fluxSecret(t *testing.T, kubeconfig string) {
	_, err := whois(t, "", readFile(t, kubeconfig), foreign(t, "flux"), "secret")
	if err == nil || !strings.Contains(err.Error(), "references a tokenFile, only an inline token is supported") {
		t.Errorf("%v; docs/clusters.md says that Flux refuses it", err)
	}
}

// flux: Flux' own code takes the ConfigMap of the page, and asks prod-eu for a token that
// prod-us takes where it does not ask for a pod.
func (w *world) flux(t *testing.T) {
	m := w.manifest(t, "ConfigMap",
		"https://prod-us.example.com:6443", w.us.Server,
		"<the CA, in PEM>", strings.ReplaceAll(strings.TrimSpace(readFile(t, w.us.CAFile)), "\n", "\n    "))
	if !strings.Contains(m, "serviceAccountName: deployer\n") {
		t.Error("docs/clusters.md has another ServiceAccount")
	}
	if _, err := w.euAPI.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "deployer"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	program := foreign(t, "flux")
	if _, err := whois(t, w.eu.Kubeconfig, m, program, "configmap", namespace, "deployer"); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("prod-us asks for a pod, and Flux has none: %v", err)
	}
	// The page's rule, and no pod's name.
	_, rule, ok := strings.Cut(readFile(t, "../../docs/clusters.md"), "    - expression: \"'pod' in claims['kubernetes.io'] ||")
	rule, _, ok2 := strings.Cut(rule, "\n")
	if !ok || !ok2 {
		t.Fatal("docs/clusters.md has no rule for Flux")
	}
	before, after, _ := strings.Cut(authentication("prod-eu", w.eu.Issuer, readFile(t, w.eu.CAFile)), `"'pod' in claims['kubernetes.io']"`)
	after, _, _ = strings.Cut(after, "    extra:")
	replace(t, w.authentication, before+`"'pod' in claims['kubernetes.io'] ||`+rule+after)
	eventually(t, 3*time.Minute, "prod-us goes on to ask for a pod", func() error {
		got, err := whois(t, w.eu.Kubeconfig, m, program, "configmap", namespace, "deployer")
		if err != nil {
			return err
		}
		if got.Username != "prod-eu:system:serviceaccount:shop:deployer" {
			t.Fatalf("got %+v", got)
		}
		return nil
	})
	if _, err := whois(t, w.eu.Kubeconfig, m, program, "configmap", namespace, "orders"); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("a token of another ServiceAccount that is not bound to a pod: %v", err)
	}
}
