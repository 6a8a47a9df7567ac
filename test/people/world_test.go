package people

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/browser"
	"github.com/podpass-io/podpass/test/cluster"
)

// patience with what comes by itself, on a machine that does other things: a reload, the end
// of a token.
const patience = 3 * time.Minute

// world is a company: its provider, a cluster, and its people at their keyboards.
type world struct {
	*provider
	dir     string // where commands are typed
	cluster *cluster.Cluster
	browser *browser.Browser
	opened  chan string // addresses that programs have opened a browser at
	logins  int         // how often a person had to log in
	trusts  bool        // the API server has the page's configuration
	wasDown bool        // the provider was stopped, and may be back
}

// newWorld is one without a cluster.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), opened: make(chan string)}
	w.provider = startProvider(t, w.dir, people())
	w.browser = browser.Start(t, "--ignore-certificate-errors-spki-list="+w.key, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
	w.browser.Open("about:blank")
	w.tools(t)
	return w
}

// withCluster has one that does not know the provider yet.
func withCluster(t *testing.T) *world {
	t.Helper()
	cluster.Require(t, cluster.Options{ControlPlaneOnly: true})
	w := newWorld(t)
	w.cluster = cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	for from, to := range map[string]string{w.cluster.CAFile: "prod-eu-ca.crt", w.cluster.Kubeconfig: "home/admin/.kube/config"} {
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(w.dir, to)), 0o700); err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join(w.dir, to), raw)
	}
	kubectl, _, _ := strings.Cut(w.cluster.KubectlCommand(), " --kubeconfig")
	w.program(t, "kubectl", "exec "+kubectl+` "$@"`)
	return w
}

func (w *world) read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// program puts a script on people's PATH.
func (w *world) program(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "bin", name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
}

// tools lays out what people have on their PATH. xdg-open is their browser: it hands the
// address on to the test.
func (w *world) tools(t *testing.T) {
	t.Helper()
	bin, fifo := filepath.Join(w.dir, "bin"), filepath.Join(w.dir, "opened")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	loginPlugin(t, bin)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "podpass"), "./cmd/podpass")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	w.program(t, "xdg-open", `printf '%s\n' "$1" >`+fifo)
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// For reading and writing, so that it does not end with each writer.
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	go func() {
		for s := bufio.NewScanner(f); s.Scan(); {
			select {
			case w.opened <- s.Text():
			case <-t.Context().Done():
				return
			}
		}
	}()
}

// run has a person type commands, and log in where a browser opens; what they print, to
// both streams, is the answer.
func (w *world) run(t *testing.T, who, script string) (string, error) {
	t.Helper()
	home := filepath.Join(w.dir, "home", who)
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = w.dir
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(w.dir, "bin") + ":" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			return out.String(), err
		case address := <-w.opened:
			if !w.login(t, address, who) {
				cancel() // the provider does not let them in: they give up
			}
		}
	}
}

// login is what a person does in the browser that has opened: each page of the provider's is
// filled in and sent, until there is none. It tells whether the provider let them in.
func (w *world) login(t *testing.T, address, who string) bool {
	t.Helper()
	w.logins++
	b := w.browser
	b.Call("Network.clearBrowserCookies", nil, nil)
	b.Events = nil
	b.Call("Page.navigate", map[string]any{"url": address}, nil)
	b.Event("Page.loadEventFired")
	asked := false
	for {
		// The event may have been that of the page before.
		page := ""
		eventually(t, "", func() bool { page = b.Eval(kindOfPage); return page != "later" && page != "<nil>" })
		switch page {
		case "login":
			if asked {
				return false
			}
			asked = true
			b.Eval(`document.querySelector('[name=login]').value = '` + who + `'; document.querySelector('[name=password]').value = 'any'`)
		case "form":
		case "network": // somebody else on this machine has made a network, or removed one
			b.Events = nil
			b.Eval("location.reload()")
			b.Event("Page.loadEventFired")
			continue
		case "error":
			return false
		case "end":
			return true
		default:
			t.Fatalf("a page that nobody knows, at %s: %s", b.Eval("location.href"), page)
		}
		b.Events = nil
		b.Eval(`window.sent = true; document.querySelector('button[type=submit], button:not([name=abort]), [type=submit]').click()`)
		b.Event("Page.loadEventFired")
	}
}

// kindOfPage tells the provider's login page, those on which there is only something to
// agree to (consent; the code of a device), its error page, and the last one. A page that
// was sent is not looked at again.
const kindOfPage = `window.sent || document.readyState !== 'complete' ? 'later'
: document.querySelector('[name=login]') ? 'login'
: document.querySelector('form') ? 'form'
: /ERR_NETWORK_CHANGED/.test(document.body.innerText) ? 'network'
: /oops! something went wrong/.test(document.body.innerText) ? 'error'
: /close this window|You are authenticated|Sign-in Success|Authenticated|close this tab/i.test(document.body.innerText) ? 'end'
: document.title + ': ' + document.body.innerText`

// token has a person get an ID token by the plugin, with nothing kept from before.
func (w *world) token(t *testing.T, who string, args ...string) string {
	t.Helper()
	args = append([]string{"kubectl-oidc_login", "get-token", "--certificate-authority=login-ca.crt", "--token-cache-dir=" + t.TempDir()}, args...)
	out, err := w.run(t, who, strings.Join(args, " ")+" 2>/dev/null")
	var credential struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	if err != nil || json.Unmarshal([]byte(out), &credential) != nil || credential.Status.Token == "" {
		t.Fatalf("no token for %s: %v\n%s", who, err, out)
	}
	return credential.Status.Token
}

// user is who the API server says that somebody is.
type user struct {
	Username string              `json:"username"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// review asks the API server who a token is; the status is 401 for nobody.
func (w *world) review(t *testing.T, token string) (int, user) {
	t.Helper()
	pem, err := os.ReadFile(w.cluster.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.cluster.Server+"/apis/authentication.k8s.io/v1/selfsubjectreviews",
		strings.NewReader(`{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return response.StatusCode, user{}
	}
	var answer struct {
		Status struct {
			UserInfo user `json:"userInfo"`
		} `json:"status"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Status.UserInfo
}

// log is what the API server has written since a mark, which is how much it had written.
func (w *world) log(t *testing.T, mark int) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.cluster.Dir, "log", "kube-apiserver.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw[mark:])
}

func (w *world) mark(t *testing.T) int { return len(w.log(t, 0)) }

// eventually waits for what comes by itself.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if time.Since(start) > patience {
			t.Fatalf("not in %s: %s", patience, what)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(what, t.Context().Err())
		}
	}
	if what == "" {
		return
	}
	t.Logf("%s: after %.1fs", what, time.Since(start).Seconds())
}
