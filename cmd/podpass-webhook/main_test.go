package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/program"
)

// TestMain is the webhook itself when a test starts it again.
func TestMain(m *testing.M) {
	if os.Getenv("PODPASS_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is the webhook, with an API server that knows no ServiceAccounts, or is away.
type process struct {
	*exec.Cmd
	admission, probes string
	log               *program.Log
	ended             chan error
}

// apiServer answers the list of ServiceAccounts and holds the watch.
func apiServer(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Has("watch") {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1"},"items":[]}`)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

func startProcess(t *testing.T, apiServer string, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	certificate, key := program.Certificate(t)
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	p := &process{admission: program.Address(t), probes: program.Address(t), log: new(program.Log), ended: make(chan error, 1)}
	p.Cmd = exec.CommandContext(t.Context(), os.Args[0], append([]string{
		"--kubeconfig", file("kubeconfig", fmt.Sprintf("{clusters: [{name: a, cluster: {server: %q}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}", apiServer)),
		"--config", file("config.yaml", "broker: {image: podpass-broker:test}\n"),
		"--tls-cert", file("tls.crt", string(certificate)), "--tls-key", file("tls.key", string(key)),
		"--listen", p.admission, "--probe-listen", p.probes, "--audit-period", "0",
	}, args...)...)
	p.Env = append(os.Environ(), "PODPASS_TEST_MAIN=1")
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", p.log)
		}
	})
	return p
}

// status of a probe, and its text; 0: it is not served.
func (p *process) status(path string) (int, string) {
	resp, err := http.Get("http://" + p.probes + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func (p *process) wait(t *testing.T, path string, want int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got, text := p.status(path)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %d %s, want %d", path, got, text, want)
		}
	}
}

func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// end waits for the process, at most d.
func (p *process) end(t *testing.T, d time.Duration) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(d):
		t.Fatalf("it has not ended after %s", d)
		return nil
	}
}

func (p *process) admits() error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, path := range []string{"/mutate", "/mutate/opted-in", "/validate-serviceaccounts"} {
		resp, err := client.Get("https://" + p.admission + path)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed { // a GET is no review
			return fmt.Errorf("%s: %s", path, resp.Status)
		}
	}
	return nil
}

// TestLife: ready, then not ready and still serving, then an end with code 0.
func TestLife(t *testing.T) {
	p := startProcess(t, apiServer(t).URL, "--shutdown-delay=1s")
	p.wait(t, "/readyz", http.StatusOK)
	if err := p.admits(); err != nil {
		t.Error(err)
	}
	if _, text := p.status("/metrics"); !strings.Contains(text, "podpass_webhook_serviceaccounts 0") ||
		!strings.Contains(text, "podpass_webhook_certificate_expiry_timestamp_seconds") || !strings.Contains(text, "go_memstats") {
		t.Errorf("metrics:\n%s", text)
	}
	start := time.Now()
	p.signal(t)
	p.wait(t, "/readyz", http.StatusInternalServerError)
	for time.Since(start) < 800*time.Millisecond {
		if err := p.admits(); err != nil {
			t.Fatalf("%s after the signal: %v", time.Since(start), err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := p.end(t, 10*time.Second); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("ended after %s", took)
	}
}

// TestSecondSignalEnds: whoever presses the keys twice means it.
func TestSecondSignalEnds(t *testing.T) {
	p := startProcess(t, apiServer(t).URL, "--shutdown-delay=1m")
	p.wait(t, "/readyz", http.StatusOK)
	p.signal(t)
	p.wait(t, "/readyz", http.StatusInternalServerError)
	p.signal(t)
	if err := p.end(t, 5*time.Second); err == nil {
		t.Error("it reports that all went well")
	}
}

// TestStartsWithoutTheAPIServer: it lives, says what it waits for, is ready as soon as
// the API server is there, and logs in JSON what its libraries log.
func TestStartsWithoutTheAPIServer(t *testing.T) {
	away := "http://" + program.Address(t)
	p := startProcess(t, away, "--shutdown-delay=0s")
	p.wait(t, "/healthz", http.StatusOK)
	p.wait(t, "/readyz", http.StatusInternalServerError)
	if _, text := p.status("/readyz"); !strings.Contains(text, "waiting for the first list of ServiceAccounts") {
		t.Errorf("readyz does not say why: %s", text)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(p.log.String(), "connection refused"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the log does not say that the API server is away")
		}
	}
	p.signal(t)
	if err := p.end(t, 10*time.Second); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(p.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestTakenPortEnds: a replica that cannot serve must be seen to have failed.
func TestTakenPortEnds(t *testing.T) {
	taken := strings.TrimPrefix(apiServer(t).URL, "http://")
	for _, flag := range []string{"--listen", "--probe-listen"} {
		p := startProcess(t, apiServer(t).URL, "--shutdown-delay=1m", flag, taken)
		if err := p.end(t, 20*time.Second); err == nil || !strings.Contains(p.log.String(), "address already in use") {
			t.Errorf("%s: %v\n%s", flag, err, p.log)
		}
	}
}
