package clusters

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// asked: where prod-us asks prod-eu about each token instead of verifying it, a deleted
// pod's is refused within seconds. The names that come back have no prefix, so that what a
// ServiceAccount of prod-us may do, one of prod-eu with its name may do too: this is what
// docs/clusters.md warns of.
func (w *world) asked(t *testing.T) {
	seconds := int64(3600)
	for _, args := range [][]string{
		{"create", "serviceaccount", "prod-us", "-n", namespace},
		{"create", "clusterrole", "ask-about-tokens", "--verb", "create", "--resource", "tokenreviews.authentication.k8s.io"},
		{"create", "clusterrolebinding", "prod-us-asks", "--clusterrole", "ask-about-tokens", "--serviceaccount", namespace + ":prod-us"},
	} {
		if _, err := w.eu.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	asks, err := w.euAPI.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "prod-us", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "webhook.yaml")
	replace(t, file, fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: prod-eu
clusters:
- {name: prod-eu, cluster: {server: "%s/apis/authentication.k8s.io/v1/tokenreviews", certificate-authority: %s}}
users:
- {name: prod-us, user: {token: %s}}
contexts:
- {name: prod-eu, context: {cluster: prod-eu, user: prod-us}}
`, w.eu.Server, w.eu.CAFile, asks.Status.Token))
	replace(t, w.authentication, "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n")
	if err := w.us.Restart(t.Context(), "kube-apiserver", false,
		"--authentication-token-webhook-config-file="+file, "--authentication-token-webhook-version=v1", "--authentication-token-webhook-cache-ttl=2s",
		"--api-audiences="+w.us.Issuer+","+audience); err != nil {
		t.Fatal(err)
	}
	// A ServiceAccount of prod-us, with rights of its own.
	if _, err := w.us.Kubectl(t.Context(), "create", "rolebinding", "namesake", "-n", namespace, "--clusterrole", "edit", "--serviceaccount", namespace+":namesake"); err != nil {
		t.Fatal(err)
	}
	w.account(t, "namesake")
	client := bearer(t, w.us, w.token(t, "namesake", audience))
	if got := ask(t, client).Username; got != "system:serviceaccount:shop:namesake" {
		t.Errorf("prod-us takes the token as %q", got)
	}
	if _, err := client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("prod-eu's namesake does not have the rights of prod-us's: %v; then docs/clusters.md need not warn", err)
	}
	if got := ask(t, bearer(t, w.us, w.token(t, "namesake", "https://prod-asia.example.com"))); got.Code != 401 {
		t.Errorf("a token for another audience: %+v", got)
	}
	now := int64(0)
	if err := w.euAPI.CoreV1().Pods(namespace).Delete(t.Context(), "namesake", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	took := eventually(t, time.Minute, "prod-us goes on to take the token of a deleted pod", func() error {
		if got := ask(t, client); got.Code != 401 {
			return errStill
		}
		return nil
	})
	t.Logf("the deleted pod was refused after %v", took)
}
