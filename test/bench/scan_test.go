package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/cluster"
)

// scanRounds is how often each program runs, in turn: the median counts, since a machine
// has moods.
const scanRounds = 3

// BenchmarkScan looks for static keys in a real API server with 50,000 Secrets and 20,000
// pods, beside the plain list of the Secrets that anybody makes: time, CPU time and peak of
// memory of each process, and what the API server says that its requests and its CPU took.
// PODPASS_BENCH_SECRETS=5000 PODPASS_BENCH_PODS=2000 is a quick look.
func BenchmarkScan(b *testing.B) {
	cluster.Require(b, cluster.Options{ControlPlaneOnly: true})
	dir := b.TempDir()
	for name, pkg := range map[string]string{"podpass": "../../cmd/podpass", "usage": "./usage"} {
		build(b, filepath.Join(dir, name), pkg)
	}
	c := cluster.Start(b, cluster.Options{Dir: filepath.Join(dir, "kube"), ControlPlaneOnly: true, Log: io.Discard})
	// The workloads are written with all that controllers would make of them, only faster.
	if err := c.Restart(b.Context(), "kube-controller-manager", false, "--controllers=serviceaccount-controller"); err != nil {
		b.Fatal(err)
	}
	estate := newEstate(b)
	estate.fill(b, c)
	for b.Loop() { // one run says it all: it is not the loop that is timed
	}

	s := scanned{usage: filepath.Join(dir, "usage"), out: filepath.Join(dir, "out"), server: c.Client(b)}
	kubectl := append(strings.Fields(c.KubectlCommand()), "get", "secrets", "-A", "-o", "json")
	scan := []string{filepath.Join(dir, "podpass"), "migrate", "scan", "-A", "-o", "json", "--kubeconfig", c.Kubeconfig}
	var plain, podpass []usage
	for range scanRounds {
		plain = append(plain, s.run(b, "kubectl", kubectl...))
		if listed := s.secretsListed(b); listed != estate.secrets {
			b.Fatalf("kubectl lists %d Secrets, want %d", listed, estate.secrets)
		}
		podpass = append(podpass, s.run(b, "podpass", scan...))
		if found := s.credentialsFound(b); found != estate.keys {
			b.Errorf("%d credentials found, want %d", found, estate.keys)
		}
	}
	for name, runs := range map[string][]usage{"kubectl-": plain, "": podpass} {
		b.ReportMetric(median(runs, func(u usage) float64 { return u.Seconds }), name+"s")
		b.ReportMetric(median(runs, func(u usage) float64 { return u.CPUSeconds }), name+"cpu-s")
		b.ReportMetric(median(runs, func(u usage) float64 { return u.PeakMiB }), name+"peak-MiB")
		b.ReportMetric(median(runs, secretsTime), name+"secrets-api-s")
		b.ReportMetric(median(runs, func(u usage) float64 { return u.server.lists }), name+"lists-api-s")
		b.ReportMetric(median(runs, func(u usage) float64 { return u.server.cpu }), name+"api-cpu-s")
	}
	b.ReportMetric(median(podpass, secretsTime)/median(plain, secretsTime), "secrets-api/kubectl")
	b.ReportMetric(0, "ns/op") // means nothing here
}

// usage is what a program took, as the program usage prints it, and of the API server.
type usage struct {
	Status                       int
	Seconds, CPUSeconds, PeakMiB float64

	server spent
}

func secretsTime(u usage) float64 { return u.server.secrets }

// spent are seconds of an API server: on lists of Secrets, on all lists, and of CPU.
type spent struct{ secrets, lists, cpu float64 }

func median(runs []usage, of func(usage) float64) float64 {
	var all []float64
	for _, u := range runs {
		all = append(all, of(u))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// scanned is what programs list, each with its output in a file.
type scanned struct {
	usage, out string
	server     kubernetes.Interface
}

func (s scanned) run(b *testing.B, name string, command ...string) usage {
	b.Helper()
	before := s.spent(b)
	cmd := exec.CommandContext(b.Context(), s.usage, append([]string{s.out}, command...)...)
	cmd.Stderr = b.Output()
	printed, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	var u usage
	if err := json.Unmarshal(printed, &u); err != nil {
		b.Fatal(err)
	}
	if u.Status > 1 { // 1: something was found
		b.Fatalf("%s: exit status %d", name, u.Status)
	}
	after := s.spent(b)
	u.server = spent{after.secrets - before.secrets, after.lists - before.lists, after.cpu - before.cpu}
	b.Logf("%s: %+v", name, u)
	return u
}

// spent is what the API server says that it has so far.
func (s scanned) spent(b *testing.B) (sum spent) {
	b.Helper()
	raw, err := s.server.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		list := strings.HasPrefix(name, "apiserver_request_duration_seconds_sum{") && strings.Contains(name, `verb="LIST"`)
		if !list && name != "process_cpu_seconds_total" {
			continue
		}
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			b.Fatal(err)
		}
		switch {
		case !list:
			sum.cpu = seconds
		case strings.Contains(name, `resource="secrets"`):
			sum.secrets += seconds
			fallthrough
		default:
			sum.lists += seconds
		}
	}
	if sum.lists == 0 || sum.cpu == 0 {
		b.Fatal("the API server does not say what it has spent on lists, or of CPU")
	}
	return sum
}

// secretsListed counts those in kubectl's output.
func (s scanned) secretsListed(b *testing.B) int {
	b.Helper()
	return bytes.Count(s.output(b), []byte("\n            \"kind\": \"Secret\","))
}

// credentialsFound counts those in the scan's graph.
func (s scanned) credentialsFound(b *testing.B) int {
	b.Helper()
	var g struct{ Credentials []json.RawMessage }
	if err := json.Unmarshal(s.output(b), &g); err != nil {
		b.Fatal(err)
	}
	return len(g.Credentials)
}

func (s scanned) output(b *testing.B) []byte {
	b.Helper()
	content, err := os.ReadFile(s.out)
	if err != nil {
		b.Fatal(err)
	}
	return content
}
