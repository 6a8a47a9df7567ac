package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/podpass-io/podpass/test/cloud/actions"
	"github.com/podpass-io/podpass/test/cluster"
)

// TestClusterKubeconfig: kubectl and client-go reach a real API server by kubeconfigs that
// hold no secret, as a ServiceAccount of an issuer that it trusts, and as a job of GitHub
// Actions; a token is asked for once, by however many at once, and again when it is old.
func TestClusterKubeconfig(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	a := actions.Start(t)
	for _, args := range [][]string{
		{"create", "serviceaccount", "deployer"},
		{"create", "clusterrolebinding", "deployer", "--clusterrole=view", "--serviceaccount=default:deployer"},
		{"create", "clusterrolebinding", "orders", "--clusterrole=view", "--user=github:" + actions.Subject},
	} {
		if _, err := c.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Restart(t.Context(), "kube-apiserver", false, "--api-audiences="+c.Issuer+",prod-us",
		"--oidc-issuer-url="+a.Issuer.URL, "--oidc-ca-file="+a.Issuer.CAFile, "--oidc-client-id=prod-us", "--oidc-username-claim=sub", "--oidc-username-prefix=github:"); err != nil {
		t.Fatal(err)
	}
	admin, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("SSL_CERT_FILE", a.Issuer.CAFile) // of all servers of httptest, GitHub's too
	for _, name := range []string{"GITHUB_SERVER_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} {
		t.Setenv(name, a.Getenv(name))
	}
	dir := t.TempDir()
	kubeconfig := func(name string, from ...string) string {
		file := filepath.Join(dir, name)
		podpass(t, append([]string{"kubeconfig", name, "--kubeconfig", c.Kubeconfig, "--context", admin.CurrentContext, "--output", file}, from...)...)
		text, err := os.ReadFile(file)
		if err != nil || bytes.Contains(text, []byte("client-key")) || bytes.Contains(text, []byte("eyJ")) {
			t.Fatalf("%v\n%s", err, text)
		}
		return file
	}
	account := []string{"--service-account", "default/deployer", "--issuer-context", admin.CurrentContext, "--issuer-kubeconfig", c.Kubeconfig}
	deployer := kubeconfig("deployer", append(account, "--audience", "prod-us")...)
	stranger := kubeconfig("stranger", append(account, "--audience", "prod-eu")...)
	github := kubeconfig("github", "--github", "--audience", "prod-us")

	who := func(file string) (string, error) {
		return c.Kubectl(t.Context(), "--kubeconfig", file, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	}
	if got, err := who(deployer); err != nil || got != "system:serviceaccount:default:deployer" {
		t.Errorf("kubectl is %q: %v", got, err)
	}
	if got, err := who(stranger); err == nil || !strings.Contains(err.Error(), "Unauthorized") && !strings.Contains(err.Error(), "must be logged in") {
		t.Errorf("for an audience that the API server does not have, kubectl is %q: %v", got, err)
	}
	// By the name that the installation has for the API server, and nothing else of it.
	install(t, c)
	named := filepath.Join(dir, "named")
	podpass(t, append([]string{"kubeconfig", "prod-us", "--output", named}, account...)...)
	if got, err := who(named); err != nil || got != "system:serviceaccount:default:deployer" {
		t.Errorf("by the installation's cluster kubectl is %q: %v", got, err)
	}
	// What another API server is to hold of this one: it says its issuer itself.
	if trusted := podpass(t, "trust", "kube", "--kubeconfig", c.Kubeconfig, "--context", admin.CurrentContext, "--audience", "prod-eu"); !strings.Contains(trusted, "\n    url: "+c.Issuer+"\n") {
		t.Errorf("podpass trust kube --context does not have the issuer %s:\n%s", c.Issuer, trusted)
	}
	// The API server reads GitHub's keys some time after its start.
	var got string
	started := time.Now()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if got, err = who(github); err == nil {
			break
		}
	}
	if err != nil || got != "github:"+actions.Subject {
		t.Errorf("a job of GitHub is %q: %v", got, err)
	}
	t.Logf("the API server takes a job's token %s after kubectl first has it", time.Since(started).Round(time.Second))
	if a.Asked() != 1 {
		t.Errorf("GitHub was asked %d times", a.Asked())
	}

	config, err := clientcmd.BuildConfigFromFlags("", deployer)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("client-go: %v", err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("client-go may write: %v", err)
	}

	token := []string{"token", "kube", "deployer", "-n", "default", "--kubeconfig", c.Kubeconfig, "--context", admin.CurrentContext, "--audience", "prod-us", "-o", "token"}
	// kubectl has asked for it already.
	first := podpass(t, token...)
	fastest := func(args ...string) (took time.Duration, tokens map[string]bool) {
		took, tokens = time.Hour, map[string]bool{}
		for range 5 {
			began := time.Now()
			tokens[podpass(t, append(token, args...)...)] = true
			took = min(took, time.Since(began))
		}
		return took, tokens
	}
	hit, kept := fastest()
	missed, asked := fastest("--no-cache")
	t.Logf("a token of the cache takes %s, one that is asked for %s", hit.Round(time.Millisecond), missed.Round(time.Millisecond))
	if len(kept) != 1 || !kept[first] || len(asked) != 5 || asked[first] {
		t.Errorf("five times the cache gave %d tokens, and --no-cache %d", len(kept), len(asked))
	}
	// A token that is refused before its end: the account is another one of the same name.
	refusedOnce(t, c, client, filepath.Join(cache, "podpass", "kube"))
	first = podpass(t, token...)

	// A fifth of its life is left.
	age(t, filepath.Join(cache, "podpass", "kube"), 8*time.Minute)
	second := podpass(t, token...)
	if second == first {
		t.Error("an old one was not renewed")
	}
	if err := os.RemoveAll(cache); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			one := podpass(t, token...)
			mu.Lock()
			defer mu.Unlock()
			seen[one]++
		})
	}
	all.Wait()
	if len(seen) != 1 || seen[first]+seen[second] > 0 {
		t.Errorf("four at once have %d tokens", len(seen))
	}
}

// install has an installation name the cluster prod-us, as the chart writes its settings.
func install(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]any{
		"broker": map[string]string{"image": "example.com/podpass-broker:1"},
		"kube":   map[string]any{"clusters": map[string]any{"prod-us": map[string]string{"server": c.Server, "audience": "prod-us", "caBundle": string(ca)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Client(t).CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "podpass-webhook-0123456789", Labels: map[string]string{"app.kubernetes.io/name": "podpass", "podpass.io/settings": "current"}},
		Data:       map[string]string{"config.yaml": string(settings)},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// refusedOnce deletes the account of a client, and makes it again: a request is refused, by
// which the client gets a token of the new account, and the next one is not.
func refusedOnce(t *testing.T, c *cluster.Cluster, client kubernetes.Interface, tokens string) {
	t.Helper()
	age(t, tokens, time.Minute)
	for _, args := range [][]string{{"delete", "serviceaccount", "deployer"}, {"create", "serviceaccount", "deployer"}} {
		if _, err := c.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	list := func() error {
		_, err := client.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{})
		return err
	}
	// For ten seconds the API server remembers that it took the token.
	err := list()
	for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); {
		err = list()
	}
	if !apierrors.IsUnauthorized(err) {
		t.Fatalf("with a token of an account that is no more: %v", err)
	}
	if err := list(); err != nil {
		t.Errorf("with the token that client-go asked for after a 401: %v", err)
	}
}

// podpass runs the program of the PATH, as kubectl does.
func podpass(t *testing.T, args ...string) string {
	t.Helper()
	var errs strings.Builder
	cmd := exec.CommandContext(t.Context(), "podpass", args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("podpass %s: %v: %s", strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

// age makes the tokens of a cache older.
func age(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var e map[string]any
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"issued", "expiry"} {
			at, err := time.Parse(time.RFC3339Nano, e[name].(string))
			if err != nil {
				t.Fatal(err)
			}
			e[name] = at.Add(-by).Format(time.RFC3339Nano)
		}
		if b, err = json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
