package policies

import (
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BenchmarkPolicies is what a pod's creation costs the API server, without policies and with
// each: its time of CPU, which says more than how long it took on a machine that does other
// things as well. Run it with -benchtime 300x.
func BenchmarkPolicies(b *testing.B) {
	s := start(b)
	// What the API server does by itself counts for nobody: on a machine that does other things
	// as well, the longer a pod takes the more there is of it.
	const quiet = 10 * time.Second
	time.Sleep(quiet) // it has just started, which is no measure
	before := s.cpu(b)
	time.Sleep(quiet)
	idle := float64(s.cpu(b)-before) / float64(quiet)
	pods := func(b *testing.B) { s.pods(b, idle) }
	b.Run("none", pods)
	for _, policy := range []string{"registrations", "identities", "injected", "staticKeys", "audiences"} {
		values := replaced(every(`"off"`), "  "+policy+": {mode: \"off\"}", "  "+policy+": {mode: enforce}")
		values = replaced(values, "  "+policy+":\n    mode: \"off\"", "  "+policy+":\n    mode: enforce")
		list := s.install(b, values)
		if len(list) == 0 {
			b.Fatalf("%s renders nothing", policy)
		}
		time.Sleep(3 * time.Second) // which the API server takes at most to learn of them
		b.Run(policy, pods)
		s.uninstall(b)
	}
	s.install(b, every("enforce"))
	s.inForce(b, func(_ attempt, err error) bool { return err != nil })
	b.Run("all", pods)
}

// pods are one that asks for nothing, in a namespace without a mark, and one that was
// injected, where static keys are denied. Idle is the share of a CPU that the API server has
// used when nobody asked it anything.
func (s *server) pods(b *testing.B, idle float64) {
	for name, a := range map[string]attempt{
		"plain":    {"shop", podOf("", app), ""},
		"injected": {"keyless", directly("aws-iam-token", "sts.amazonaws.com", many(20, func(i int) string { return "{name: V" + strconv.Itoa(i) + ", value: some-value}" })), ""},
	} {
		b.Run(name, func(b *testing.B) {
			before := s.cpu(b)
			for range b.N {
				if err := s.create(b, a.namespace, a.object, dryRun); err != nil {
					b.Fatal(err)
				}
			}
			used := float64(s.cpu(b)-before) - idle*float64(b.Elapsed())
			b.ReportMetric(used/float64(time.Microsecond)/float64(b.N), "µs-cpu/pod")
		})
	}
}

// cpu is what the API server has used.
func (s *server) cpu(b *testing.B) time.Duration {
	raw, err := s.client.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	_, after, ok := strings.Cut(string(raw), "\nprocess_cpu_seconds_total ")
	line, _, _ := strings.Cut(after, "\n")
	seconds, err := strconv.ParseFloat(line, 64)
	if err != nil || !ok {
		b.Fatalf("process_cpu_seconds_total: %q %v", line, err)
	}
	return time.Duration(seconds * float64(time.Second))
}

// uninstall takes all policies away.
func (s *server) uninstall(t testing.TB) {
	client := s.client.AdmissionregistrationV1()
	if err := client.ValidatingAdmissionPolicyBindings().DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.ValidatingAdmissionPolicies().DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
}
