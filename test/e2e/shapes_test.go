package e2e

import (
	"context"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/testbed"
)

// kills of each shape: each of two replicas twice. More often kubelet lets one wait.
const kills = 4

// BenchmarkReplicaKilled counts what pods that opted in lose when a replica is killed by
// SIGKILL, under 50 of them a second: with a Service for each replica, as the chart has it,
// and with registrations that ask one Service. docs/availability.md has the figures.
func BenchmarkReplicaKilled(b *testing.B) {
	for _, shape := range []struct {
		name   string
		change func(*admissionregistrationv1.MutatingWebhook)
	}{
		{"a Service for each replica", func(*admissionregistrationv1.MutatingWebhook) {}},
		{"one Service, asked three times", func(w *admissionregistrationv1.MutatingWebhook) { w.ClientConfig.Service.Name = "podpass-webhook" }},
		{"one Service, asked once", func(w *admissionregistrationv1.MutatingWebhook) { w.FailurePolicy = new(admissionregistrationv1.Fail) }},
	} {
		b.Run(shape.name, func(b *testing.B) {
			cluster.Require(b, cluster.Options{})
			client := bed.Client(b)
			for b.Loop() {
				if err := bed.Install(b.Context()); err != nil {
					b.Fatal(err)
				}
				restart(b) // kubelet forgets the kills of the shape before
				registrations := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
				r, err := registrations.Get(b.Context(), installed, metav1.GetOptions{})
				if err != nil {
					b.Fatal(err)
				}
				for i := range r.Webhooks {
					shape.change(&r.Webhooks[i])
				}
				if _, err := registrations.Update(b.Context(), r, metav1.UpdateOptions{}); err != nil {
					b.Fatal(err)
				}
				setUpChaos(b, client)
				before, y := restarted(b, client), new(tally)
				ctx, stop := context.WithCancel(b.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					load(ctx, client, y, chaosRate)
				}()
				for i := range kills {
					pause(b, 2*time.Second)
					kill(b)
					for end := time.Now().Add(2 * time.Minute); restarted(b, client) != before+i+1; pause(b, 200*time.Millisecond) {
						if time.Now().After(end) {
							b.Fatal("the replica has not come back")
						}
					}
				}
				pause(b, 2*time.Second)
				stop()
				<-done
				b.ReportMetric(float64(len(y.rejected))/kills, "refused/kill")
				b.ReportMetric(float64(len(y.unmutated)), "uninjected")
				b.ReportMetric(float64(y.optedIn), "optedin")
				b.Logf("%d admitted, %d opted in; refused: %.2q", y.created, y.optedIn, y.rejected)
			}
		})
	}
}

func restart(b *testing.B) {
	b.Helper()
	kubectl(b, "rollout", "restart", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace)
	kubectl(b, "rollout", "status", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, "--timeout=2m")
	pause(b, 12*time.Second) // the old replicas have gone
}
