package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/program"
)

// life of the credentials that the stand-ins give, in seconds: they are renewed several
// times within a test.
const life = 12

// world is two replicas of the webhook and four brokers, each a process of its own, against
// a stand-in for the API server and stand-ins for the clouds.
type world struct {
	clouds   *cloud.Clouds
	webhooks []server
	brokers  []server
}

// server is a process: where it answers, and where it is scraped.
type server struct{ name, address, metrics string }

// build compiles both programs, once for all tests; TestMain removes them.
var build = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp("", "podpass-observe-")
	if err != nil {
		return "", err
	}
	return dir, program.Build(context.Background(), dir, "../../cmd/podpass-webhook", "../../cmd/podpass-broker")
})

var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built) // of a temporary directory
	}
	os.Exit(code)
}

// start starts the world.
func start(t *testing.T) *world {
	t.Helper()
	var err error
	if built, err = build(); err != nil {
		t.Fatal(err)
	}
	w := new(world)
	w.startWebhooks(t)
	w.startBrokers(t)
	for _, s := range w.webhooks {
		ready(t, "http://"+s.metrics+"/readyz")
	}
	for _, s := range w.brokers {
		ready(t, "http://"+s.metrics+"/metrics")
	}
	return w
}

func (w *world) startWebhooks(t *testing.T) {
	t.Helper()
	api, dir := apiServer(t), t.TempDir()
	certificate, key := program.Certificate(t)
	for name, content := range map[string]string{
		"tls.crt": string(certificate), "tls.key": string(key),
		"config.yaml": "broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n",
		"kubeconfig":  fmt.Sprintf("{clusters: [{name: a, cluster: {server: %q}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}", api),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for i := range 2 {
		s := server{fmt.Sprintf("podpass-webhook-%d-0", i), program.Address(t), program.Address(t)}
		run(t, "podpass-webhook", nil, "--kubeconfig", in("kubeconfig"), "--config", in("config.yaml"), "--tls-cert", in("tls.crt"), "--tls-key", in("tls.key"),
			"--listen", s.address, "--probe-listen", s.metrics, "--audit-period", "3s", "--shutdown-delay", "0s")
		w.webhooks = append(w.webhooks, s)
	}
}

// startBrokers starts one with three clouds, one with AWS alone, one whose role does not
// trust it, and one that reaches no cloud.
func (w *world) startBrokers(t *testing.T) {
	t.Helper()
	i := issuer.Start(t)
	trust := orders.Trust(i)
	trust.AWS.Life, trust.GCP.Life, trust.Azure.Life = life, life, life
	w.clouds = cloud.Start(t, trust)
	dir := t.TempDir()
	orders.WriteTokens(t, i, dir, nil)
	all, one, denied := orders.Identities(), orders.Identities(), orders.Identities()
	one.GCP, one.Azure, denied.GCP, denied.Azure = nil, nil, nil, nil
	role := *denied.AWS
	role.RoleARN += "-of-others"
	denied.AWS = &role
	for name, b := range map[string]struct {
		identities any
		sts        string
	}{
		"orders-1": {all, w.clouds.AWS}, "reports-1": {one, w.clouds.AWS}, "billing-1": {denied, w.clouds.AWS}, "cut-off-1": {one, "https://" + program.Address(t)},
	} {
		identities, err := json.Marshal(b.identities)
		if err != nil {
			t.Fatal(err)
		}
		s := server{name, program.Address(t), program.Address(t)}
		run(t, "podpass-broker", []string{
			"PODPASS_IDENTITIES=" + string(identities), "PODPASS_SECRET=secret", "PODPASS_TOKEN_DIR=" + dir, "PODPASS_LISTEN=" + s.address, "PODPASS_METRICS_LISTEN=" + s.metrics,
			"PODPASS_AWS_STS_ENDPOINT=" + b.sts, "PODPASS_GCP_STS_ENDPOINT=" + w.clouds.GCP, "PODPASS_GCP_IAM_CREDENTIALS_ENDPOINT=" + w.clouds.GCP,
			"PODPASS_AZURE_AUTHORITY_HOST=" + w.clouds.Azure, "PODPASS_CA_BUNDLE=" + w.clouds.CAFile,
		})
		w.brokers = append(w.brokers, s)
	}
}

// run runs a program until the test ends.
func run(t *testing.T, name string, env []string, args ...string) {
	t.Helper()
	log := new(program.Log)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(built, name), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone
		_ = cmd.Wait()                          // how it ended says nothing here
		if t.Failed() {
			t.Logf("%s:\n%.4000s", name, log)
		}
	})
}

// ready waits until a page is served.
func ready(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		_, err := get(t, url)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not after a minute: %v", err)
		}
	}
}

var client = &http.Client{Timeout: 20 * time.Second}

func get(t *testing.T, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", url, resp.Status, body)
	}
	return string(body), err
}

// trouble makes AWS fail for a while, as if it were down.
func (w *world) trouble(requests int) {
	w.clouds.Faults.Set(fault.Fault{Operation: "aws", Status: http.StatusServiceUnavailable, Body: "<ErrorResponse/>", Count: requests})
}

// page is all that a server exposes.
func page(t *testing.T, s server) string {
	t.Helper()
	text, err := get(t, "http://"+s.metrics+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}
