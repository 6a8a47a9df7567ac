package clusters

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/sdk"
)

// user is whom an API server sees, or the status with which it refuses.
type user struct {
	Username string
	Groups   []string
	Extra    map[string][]string
	Code     int
}

// token names the token that was used.
func (u user) token() string { return strings.Join(u.Extra["prod-eu.example.com/token"], ",") }

// clientGo is a client that lives on, as an application's does.
func clientGo(t *testing.T, kubeconfig, context string) kubernetes.Interface {
	t.Helper()
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return kubernetes.NewForConfigOrDie(config)
}

// bearer is a client of a server with a token.
func bearer(t *testing.T, c *cluster.Cluster, token string) kubernetes.Interface {
	t.Helper()
	return kubernetes.NewForConfigOrDie(&rest.Config{Host: c.Server, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAFile: c.CAFile}})
}

func ask(t *testing.T, api kubernetes.Interface) user {
	t.Helper()
	review, err := api.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if status, ok := err.(apierrors.APIStatus); ok { //nolint:errorlint // the client's own
		return user{Code: int(status.Status().Code)}
	}
	if err != nil {
		t.Fatal(err)
	}
	u := user{Username: review.Status.UserInfo.Username, Groups: review.Status.UserInfo.Groups, Extra: map[string][]string{}}
	for key, values := range review.Status.UserInfo.Extra {
		u.Extra[key] = values
	}
	return u
}

// run runs a program with the kubeconfig in its environment, as in a pod.
func run(t *testing.T, kubeconfig, program string, args ...string) (string, error) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	home := t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + kubeconfig}
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}

// kubectl runs kubectl as a pod would.
func (w *world) kubectl(t *testing.T, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	binary, _, _ := strings.Cut(w.us.KubectlCommand(), " ")
	return run(t, kubeconfig, binary, append([]string{"kubectl"}, args...)...)
}

// dialogue starts a program that answers each line, and lives on as an application does.
func dialogue(t *testing.T, kubeconfig, program string, args ...string) func(t *testing.T, line string) user {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + kubeconfig}
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	cmd.Stderr = t.Output()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	})
	answers := bufio.NewReader(stdout)
	return func(t *testing.T, line string) (u user) {
		t.Helper()
		if _, err := fmt.Fprintln(stdin, line); err != nil {
			t.Fatal(err)
		}
		answer, err := answers.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(answer, &u)
		}
		if err != nil {
			t.Fatalf("%s, asked %q: %v", program, line, err)
		}
		return u
	}
}

// python is Debian's client.
func python(t *testing.T, kubeconfig string) func(t *testing.T, line string) user {
	t.Helper()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/kubernetes"); err != nil {
		t.Skip("without python3-kubernetes: ", err)
	}
	return dialogue(t, kubeconfig, "/usr/bin/python3", "who.py")
}

// javascript installs the client that the lock file names, once for all runs, and gives
// Node.js and the program.
func javascript(t *testing.T) (node, program string) {
	t.Helper()
	clients, err := sdk.Build(t.Context(), t.Output())
	if err != nil {
		t.Skip("without Node.js: ", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	files := []string{"package.json", "package-lock.json", ".npmrc", "who.js"}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join("js", name))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	dir := filepath.Join(cache, "podpass", "clusters-js-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return clients.Node, filepath.Join(dir, "who.js")
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), "clusters-js-new-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(partial) }() // it is not there when all went well
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join("js", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(partial, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = partial
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(partial, dir); err != nil {
		t.Fatal(err)
	}
	return clients.Node, filepath.Join(dir, "who.js")
}
