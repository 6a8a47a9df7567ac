package clusters

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestClusterOtherClusters: a pod of one cluster at another's API, by the kubeconfig that
// podpass plans for it.
func TestClusterOtherClusters(t *testing.T) {
	w := start(t)
	w.account(t, "orders")
	w.account(t, "nobody")
	kubeconfig := w.files(t, "orders", "prod-us")
	eventually(t, time.Minute, "prod-us does not take tokens of prod-eu", func() error {
		_, err := clientGo(t, kubeconfig, "").CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		return err
	})
	t.Run("names", func(t *testing.T) { w.names(t, kubeconfig) })
	t.Run("rights", func(t *testing.T) { w.rights(t, kubeconfig) })
	t.Run("own cluster", func(t *testing.T) { w.ownCluster(t) })
	t.Run("Helm", func(t *testing.T) { w.helm(t, kubeconfig) })
	t.Run("Argo CD", func(t *testing.T) { w.argoCD(t) })
	t.Run("Flux, by a kubeconfig", func(t *testing.T) { w.fluxSecret(t, kubeconfig) })
	t.Run("refused", func(t *testing.T) { w.refused(t) })
	t.Run("renewed token", func(t *testing.T) { w.renewed(t, kubeconfig) })
	t.Run("rotation and reload", func(t *testing.T) { w.withoutPause(t, kubeconfig) })
	t.Run("deleted pod", func(t *testing.T) { w.deleted(t) })
	t.Run("Flux, by its own token", func(t *testing.T) { w.flux(t) })
	t.Run("renamed", func(t *testing.T) { w.renamed(t, kubeconfig) })
	t.Run("asked", func(t *testing.T) { w.asked(t) })
}

// names: each client is the user and has the groups that prod-us makes of the token.
func (w *world) names(t *testing.T, kubeconfig string) {
	check := func(client string, got user) {
		t.Helper()
		slices.Sort(got.Groups)
		want := user{
			Username: "prod-eu:system:serviceaccount:shop:orders",
			Groups:   []string{"prod-eu:system:serviceaccounts", "prod-eu:system:serviceaccounts:shop", "system:authenticated"},
			Extra: map[string][]string{
				"prod-eu.example.com/pod": {"orders"}, "prod-eu.example.com/token": {got.token()},
				"authentication.kubernetes.io/credential-id": {"JTI=" + got.token()}, // the API server's own
			},
		}
		if diff := cmp.Diff(want, got); diff != "" || got.token() == "" {
			t.Errorf("%s (-want +got):\n%s", client, diff)
		}
	}
	check("client-go", ask(t, clientGo(t, kubeconfig, "")))
	check("client-go, by the context's name", ask(t, clientGo(t, kubeconfig, "prod-us")))
	check("kubectl", w.whoami(t, kubeconfig))
	check("Python", python(t, kubeconfig)(t, "prod-us"))
	node, program := javascript(t)
	check("JavaScript", dialogue(t, kubeconfig, node, program)(t, "prod-us"))
}

// rights are those of RBAC in prod-us; another ServiceAccount has none.
func (w *world) rights(t *testing.T, kubeconfig string) {
	if _, err := w.kubectl(t, kubeconfig, "create", "configmap", "from-eu"); err != nil {
		t.Errorf("in the namespace that it may edit, which is the context's: %v", err)
	}
	if _, err := w.usAPI.CoreV1().ConfigMaps(namespace).Get(t.Context(), "from-eu", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	_, err := w.kubectl(t, kubeconfig, "get", "pods", "-n", "kube-system")
	if want := `Forbidden): pods is forbidden: User "prod-eu:system:serviceaccount:shop:orders" cannot list resource "pods" in API group "" in the namespace "kube-system"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = w.kubectl(t, w.files(t, "nobody", "prod-us"), "get", "pods")
	if want := `Forbidden): pods is forbidden: User "prod-eu:system:serviceaccount:shop:nobody" cannot list resource "pods" in API group "" in the namespace "shop"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// ownCluster: listed first, the pod's own cluster stays the one that clients find.
func (w *world) ownCluster(t *testing.T) {
	w.account(t, "controller")
	kubeconfig := w.files(t, "controller", "in-cluster,prod-us")
	if got := w.whoami(t, kubeconfig).Username; got != "system:serviceaccount:shop:controller" {
		t.Errorf("kubectl is %q", got)
	}
	node, program := javascript(t)
	clients := map[string]func(*testing.T, string) user{
		"Python": python(t, kubeconfig), "JavaScript": dialogue(t, kubeconfig, node, program),
		"client-go": func(t *testing.T, context string) user { return ask(t, clientGo(t, kubeconfig, context)) },
	}
	for name, client := range clients {
		for context, want := range map[string]string{"in-cluster": "system:serviceaccount:shop:controller", "prod-us": "prod-eu:system:serviceaccount:shop:controller"} {
			if got := client(t, context); got.Username != want {
				t.Errorf("%s, in context %s: %+v, want %s", name, context, got, want)
			}
		}
	}
}

// helm installs a chart in prod-us.
func (w *world) helm(t *testing.T, kubeconfig string) {
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	chart := t.TempDir()
	replace(t, chart+"/Chart.yaml", "{apiVersion: v2, name: probe, version: 0.1.0}")
	if err := os.Mkdir(chart+"/templates", 0o700); err != nil {
		t.Fatal(err)
	}
	replace(t, chart+"/templates/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: by-helm}}")
	if _, err := run(t, kubeconfig, helm, "install", "probe", chart, "--kube-context", "prod-us"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.usAPI.CoreV1().ConfigMaps(namespace).Get(t.Context(), "by-helm", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// refused: what prod-us does not take as anybody.
func (w *world) refused(t *testing.T) {
	unbound, err := w.euAPI.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "orders", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	good, own, other := w.token(t, "orders", audience), w.signer(t), signer(t)
	later, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Minute).Unix()
	for name, test := range map[string]struct {
		token string
		want  int
	}{
		"as it is": {good, 201},
		// Signed here, so that what follows is refused for what it says.
		"signed again":           {own.sign(t, good, nil), 201},
		"another audience":       {w.token(t, "orders", "https://prod-asia.example.com"), 401},
		"no pod":                 {unbound.Status.Token, 401},
		"expired":                {own.sign(t, good, map[string]any{"exp": past}), 401},
		"not yet":                {own.sign(t, good, map[string]any{"nbf": later}), 401},
		"another issuer":         {own.sign(t, good, map[string]any{"iss": "https://issuer.example.com"}), 401},
		"another issuer's key":   {other.sign(t, good, nil), 401},
		"prod-us's own issuer":   {own.sign(t, good, map[string]any{"iss": w.us.Issuer}), 401},
		"the issuer with a path": {own.sign(t, good, map[string]any{"iss": w.eu.Issuer + "/"}), 401},
	} {
		got := ask(t, bearer(t, w.us, test.token))
		if got.Code == 0 {
			got.Code = 201
		}
		if got.Code != test.want {
			t.Errorf("%s: %d as %q, want %d", name, got.Code, got.Username, test.want)
		}
	}
	// Nor does prod-eu take what is for prod-us.
	if got := ask(t, bearer(t, w.eu, good)); got.Code != 401 {
		t.Errorf("prod-eu takes the token for prod-us: %+v", got)
	}
}

// deleted: the token of a pod that is no more is good at prod-us until it expires; prod-eu
// itself, asked about it, says no at once.
func (w *world) deleted(t *testing.T) {
	w.account(t, "gone")
	token := w.token(t, "gone", audience)
	reviewed := func() bool {
		review, err := w.euAPI.AuthenticationV1().TokenReviews().Create(t.Context(), &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{audience}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return review.Status.Authenticated
	}
	if !reviewed() {
		t.Error("prod-eu does not know its own token")
	}
	now := int64(0)
	if err := w.euAPI.CoreV1().Pods(namespace).Delete(t.Context(), "gone", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	took := eventually(t, time.Minute, "prod-eu goes on to know the token", func() error {
		if reviewed() {
			return errStill
		}
		return nil
	})
	t.Logf("TokenReview said no after %v", took)
	if got := ask(t, bearer(t, w.us, token)); got.Username != "prod-eu:system:serviceaccount:shop:gone" {
		t.Errorf("prod-us: %+v; docs/clusters.md says that the token is good until it expires", got)
	}
}

// renamed: a cluster of another name is somebody else, and of another issuer nobody.
func (w *world) renamed(t *testing.T, kubeconfig string) {
	client := clientGo(t, kubeconfig, "")
	w.trust(t, "prod-north", w.eu.Issuer)
	took := eventually(t, 3*time.Minute, "prod-us goes on with the former name", func() error {
		if got := ask(t, client); got.Username != "prod-north:system:serviceaccount:shop:orders" {
			return errStill
		}
		return nil
	})
	t.Logf("the configuration was in force after %v", took)
	if _, err := w.kubectl(t, kubeconfig, "get", "pods"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("the rights of the former name: %v", err)
	}
	// A new issuer is a new cluster, until prod-us is told.
	if err := w.eu.Restart(t.Context(), "kube-apiserver", false, "--service-account-issuer=https://issuer.example.com/north"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, bearer(t, w.us, w.token(t, "orders", audience))); got.Code != 401 {
		t.Errorf("a token of the new issuer: %+v", got)
	}
}
