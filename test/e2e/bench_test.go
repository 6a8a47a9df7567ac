package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
)

// startedPods of each kind.
const startedPods = 20

// BenchmarkPodStart is the time from the request that creates a pod to the first
// thing that the AWS SDK in its application says: with the broker and in direct mode
// a credential, and without podpass that its static keys are not good. One pod at a
// time, the kinds by turns, so that all meet the same noise.
func BenchmarkPodStart(b *testing.B) {
	cluster.Require(b, cluster.Options{})
	for b.Loop() { // one run says it all: it is not the loop that is timed
	}
	const without = "without"
	kinds := []string{"broker", "direct", without}
	took := map[string][]time.Duration{}
	for i := range startedPods {
		for _, kind := range kinds {
			p := pod{name: fmt.Sprintf("start-%s-%d", kind, i), serviceAccount: "aws", sdk: "go", check: "aws", mode: kind}
			manifest := ""
			if kind == without {
				p.mode, p.labels = "", `, podpass.io/inject: "false"`
				manifest = strings.Replace(p.manifest(), "      envFrom:",
					"      env: [{name: AWS_ACCESS_KEY_ID, value: AKIAIOSFODNN7EXAMPLE}, {name: AWS_SECRET_ACCESS_KEY, value: x}, {name: AWS_REGION, value: eu-central-1}]\n      envFrom:", 1)
			} else {
				manifest = p.manifest()
			}
			d, ok, err := timeToFirstWord(b.Context(), p.name, manifest)
			if err != nil {
				b.Fatal(err)
			}
			if ok != (kind != without) {
				b.Fatalf("%s: credential: %t", p.name, ok)
			}
			took[kind] = append(took[kind], d)
		}
	}
	for _, kind := range kinds {
		slices.Sort(took[kind])
		b.ReportMetric(took[kind][startedPods/2].Seconds(), kind+"-p50-s")
		b.ReportMetric(took[kind][startedPods*9/10].Seconds(), kind+"-p90-s")
	}
	b.ReportMetric(0, "ns/op") // means nothing here
}

// timeToFirstWord creates a pod, and removes it when it has said something.
func timeToFirstWord(ctx context.Context, name, manifest string) (time.Duration, bool, error) {
	began := time.Now()
	if err := bed.Apply(ctx, namespace, manifest); err != nil {
		return 0, false, err
	}
	defer func() {
		_, _ = bed.Kubectl(context.WithoutCancel(ctx), "delete", "pod", name, "-n", namespace, "--grace-period=0", "--force") // the namespace goes anyway
	}()
	for time.Since(began) < time.Minute {
		// The log's own times: when it is read does not count.
		log, err := bed.Kubectl(ctx, "logs", name, "-n", namespace, "-c", "app", "--timestamps")
		if stamp, rest, ok := strings.Cut(log, " "); err == nil && ok {
			at, err := time.Parse(time.RFC3339Nano, stamp)
			return at.Sub(began), strings.Contains(rest, `"ok":true`), err
		}
		time.Sleep(200 * time.Millisecond)
	}
	return 0, false, fmt.Errorf("pod %s has said nothing for a minute", name)
}
