package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a running process under measurement.
type server struct {
	process
	url                  string
	started              time.Duration
	idleRSS, idlePrivate float64
}

func run(b *testing.B, binary string, env []string, ready func(url string) bool) *server {
	b.Helper()
	s := new(server)
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PODPASS_LISTEN="); ok {
			s.url = "http://" + v
		} else if v, ok := strings.CutPrefix(e, "LISTEN="); ok && v != "" {
			s.url = "http://" + v
		}
	}
	cmd := exec.CommandContext(b.Context(), binary)
	cmd.Env = append(os.Environ(), env...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone
		_ = cmd.Wait()                          // its exit code says nothing here
	})
	s.process = process(cmd.Process.Pid)
	for ; ; time.Sleep(500 * time.Microsecond) {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://")); err == nil {
			_ = conn.Close()
			if ready(s.url) {
				break
			}
		}
		if time.Since(began) > 10*time.Second {
			b.Fatal(binary + " is not ready after 10 s")
		}
	}
	s.started = time.Since(began)
	time.Sleep(time.Second)
	s.idleRSS, s.idlePrivate = s.memory(b)
	return s
}

func ready(url string) bool {
	resp, err := http.Get(url + "/readyz") //nolint:noctx // a benchmark of seconds
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// loaded is what a load took.
type loaded struct {
	latencies []time.Duration // sorted
	cpu       float64         // milliseconds of the server's own CPU time for 1,000 requests
}

// quantile of the latencies, in microseconds.
func (l loaded) quantile(q float64) float64 {
	return float64(l.latencies[int(q*float64(len(l.latencies)-1))].Microseconds())
}

const (
	requests   = 20_000
	rounds     = 20
	awsPath    = "/aws/v1/credentials"
	azureToken = "/azure/v1/token?api-version=2019-08-01&resource=https://management.azure.com"
	gcpToken   = "/computeMetadata/v1/instance/service-accounts/default/token"
)

// inTurn loads each server, a twentieth of the requests at a time: what else the machine
// does meanwhile costs all of them the same.
func inTurn(b *testing.B, servers map[string]*server, connections int) map[string]loaded {
	b.Helper()
	loads := map[string]loaded{}
	for range rounds {
		for name, s := range servers {
			l, before := loads[name], s.cpuTime(b)
			l.latencies = append(l.latencies, s.load(b, connections, requests/rounds)...)
			l.cpu += (s.cpuTime(b) - before).Seconds() * 1000 / (requests / 1000)
			loads[name] = l
		}
	}
	for _, l := range loads {
		slices.Sort(l.latencies)
	}
	return loads
}

// load makes n requests for all three clouds over a number of connections, and gives
// their latencies.
func (s *server) load(b *testing.B, connections, n int) []time.Duration {
	b.Helper()
	paths := []string{awsPath, azureToken, gcpToken}
	perConnection := make([][]time.Duration, connections)
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := range n / connections {
				began := time.Now()
				if status := s.get(b, client, paths[i%len(paths)]); status != http.StatusOK {
					b.Errorf("status %d", status)
					return
				}
				perConnection[c] = append(perConnection[c], time.Since(began))
			}
		})
	}
	wg.Wait()
	latencies := slices.Concat(perConnection...)
	if len(latencies) == 0 {
		b.Fatal("no request was answered")
	}
	return latencies
}

// flood is the worst that an application can do: as many connections as the broker
// takes, all at once and all kept, each with requests for what nobody asked before.
func (s *server) flood(b *testing.B) {
	b.Helper()
	const connections, perConnection = 1000, 10
	var wg sync.WaitGroup
	for n := range connections {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			b.Cleanup(c.CloseIdleConnections)
			for i := range perConnection {
				s.get(b, c, fmt.Sprintf("%s?scopes=https://www.googleapis.com/auth/%d.%d", gcpToken, n, i)) // most are refused
			}
		})
	}
	wg.Wait()
}

// get makes one request; 0: it failed.
func (s *server) get(b *testing.B, c *http.Client, path string) (status int) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		b.Error(err)
		return 0
	}
	req.Header = http.Header{"Authorization": {"secret"}, "X-Identity-Header": {"secret"}, "Metadata-Flavor": {"Google"}}
	resp, err := c.Do(req)
	if err != nil {
		b.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body) // loopback
	_ = resp.Body.Close()
	return resp.StatusCode
}
