package attack

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/program"
)

// replica is one webhook process with the memory of the chart's container.
type replica struct {
	url, probes string
	group       *program.MemoryCgroup
	cmd         *exec.Cmd
	ended       chan error
	log         *program.Log
}

// files of the webhook: made once for all replicas.
type files struct{ binary, config, certificate, key string }

func newFiles(t *testing.T) files {
	t.Helper()
	dir := t.TempDir()
	f := files{filepath.Join(dir, "podpass-webhook"), filepath.Join(dir, "config.yaml"), filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	if err := program.Build(t.Context(), dir, "../../cmd/podpass-webhook"); err != nil {
		t.Fatal(err)
	}
	certificate, key := program.Certificate(t)
	for name, content := range map[string]string{
		f.certificate: string(certificate), f.key: string(key),
		f.config: "broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// start runs a replica until the test ends.
func start(t *testing.T, c *cluster.Cluster, f files) *replica {
	t.Helper()
	limit := chartMemoryLimit(t)
	listen, probes := program.Address(t), program.Address(t)
	r := &replica{
		url: "https://" + listen, probes: "http://" + probes, group: program.LimitMemory(t, limit),
		ended: make(chan error, 1), log: new(program.Log),
	}
	r.cmd = r.group.Command(t, f.binary, "--kubeconfig", c.Kubeconfig, "--config", f.config, "--tls-cert", f.certificate, "--tls-key", f.key,
		"--listen", listen, "--probe-listen", probes, "--shutdown-delay", "100ms", "--audit-period", "0s")
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM) // it may have ended: its state says so
		select {
		case <-r.ended: //nolint:errcheck // it was asked to end
		case <-time.After(30 * time.Second):
			_ = r.cmd.Process.Kill()
			<-r.ended //nolint:errcheck // it was killed
			t.Error("the webhook did not stop")
		}
		t.Logf("peak memory of the cgroup: %d of %d MiB", r.group.Peak(t)>>20, limit>>20)
		if t.Failed() {
			t.Logf("end of the webhook's log:\n%s", tail(r.log.String(), 4000))
		}
	})
	return r
}

// alive fails the test if the replica has ended or was out of memory.
func (r *replica) alive(t *testing.T) {
	t.Helper()
	if n := r.group.Killed(t); n > 0 {
		t.Errorf("the kernel killed it for want of memory")
	}
	select {
	case err := <-r.ended:
		r.ended <- err
		t.Fatalf("the webhook died: %v", err)
	default:
	}
}

// ready waits until the replica says that it is.
func (r *replica) ready(t *testing.T, patience time.Duration) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		r.alive(t)
		if resp, err := http.Get(r.probes + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("not ready after %s", patience)
		}
	}
}

// metric is the value of a metric without labels, or the sum of those with some.
func (r *replica) metric(t *testing.T, name string) float64 {
	t.Helper()
	resp, err := http.Get(r.probes + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum, found := 0.0, false
	for line := range strings.Lines(string(body)) {
		if !strings.HasPrefix(line, name+" ") && !strings.HasPrefix(line, name+"{") {
			continue
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum, found = sum+v, true
	}
	if !found {
		t.Fatalf("no metric %s", name)
	}
	return sum
}

// chartMemoryLimit is the limit of the container, in bytes, as values.yaml has it.
func chartMemoryLimit(t *testing.T) int64 {
	t.Helper()
	values, err := os.ReadFile("../../charts/podpass/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(values), "\n  limits: {memory: ")
	mib, err := strconv.ParseInt(strings.SplitN(after, "Mi}", 2)[0], 10, 64)
	if !ok || err != nil {
		t.Fatalf("the chart's memory limit of the webhook is not found: %v", err)
	}
	return mib << 20
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
