package observe

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/program"
)

// prometheus is a real one.
type prometheus struct{ url string }

// startPrometheus scrapes a world each second, with the labels that a ServiceMonitor and a
// PodMonitor give to what they find.
func startPrometheus(t *testing.T, w *world) *prometheus {
	t.Helper()
	binary, dir := tool(t, "prometheus"), t.TempDir()
	var config strings.Builder
	config.WriteString("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
	job := func(name, namespace string, servers []server) {
		fmt.Fprintf(&config, "  - job_name: %s\n    static_configs:\n", name)
		for _, s := range servers {
			fmt.Fprintf(&config, "      - {targets: [%q], labels: {namespace: %s, pod: %s}}\n", s.metrics, namespace, s.name)
		}
	}
	job("podpass-webhook-metrics", "podpass-system", w.webhooks)
	job("podpass-system/podpass-broker", "shop", w.brokers)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	address, log := program.Address(t), new(program.Log)
	cmd := exec.Command(binary, "--config.file", file, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address) //nolint:noctx // ended below
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone
		_ = cmd.Wait()                          // how it ended says nothing here
		if t.Failed() {
			t.Logf("prometheus:\n%.4000s", log)
		}
	})
	ready(t, "http://"+address+"/-/ready")
	return &prometheus{"http://" + address}
}

// series is one of the series of an answer.
type series struct {
	labels map[string]string
	points []point
}

type point struct{ at, value float64 }

// finite reports whether anything of it can be shown.
func (s series) finite() bool {
	for _, p := range s.points {
		if !math.IsNaN(p.value) && !math.IsInf(p.value, 0) {
			return true
		}
	}
	return false
}

// query evaluates an expression from one time to another, each second; at the last alone
// where they are the same.
func (p *prometheus) query(t *testing.T, expression string, from, to time.Time) ([]series, error) {
	t.Helper()
	unix := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	path, arguments := "/api/v1/query_range", url.Values{"query": {expression}, "start": {unix(from)}, "end": {unix(to)}, "step": {"1"}}
	if from.Equal(to) {
		path, arguments = "/api/v1/query", url.Values{"query": {expression}, "time": {unix(to)}}
	}
	text, err := get(t, p.url+path+"?"+arguments.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string   `json:"metric"`
				Value  json.RawMessage     `json:"value"`
				Values [][]json.RawMessage `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, err
	}
	var all []series
	for _, r := range answer.Data.Result {
		if r.Value != nil {
			var one []json.RawMessage
			if err := json.Unmarshal(r.Value, &one); err != nil {
				return nil, err
			}
			r.Values = append(r.Values, one)
		}
		s := series{labels: r.Metric}
		for _, v := range r.Values {
			var at float64
			var value string
			if err := json.Unmarshal(v[0], &at); err != nil {
				return nil, err
			}
			if err := json.Unmarshal(v[1], &value); err != nil {
				return nil, err
			}
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return nil, err
			}
			s.points = append(s.points, point{at, number})
		}
		all = append(all, s)
	}
	return all, nil
}
