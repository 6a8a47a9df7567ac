package webhook

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/audit"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// TestMetricsAreDocumented: docs/metrics.md names what is registered, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	r := prometheus.NewRegistry()
	NewMetrics(r).observe(decision{outcome: outcomeInjected, result: inject.Result{Injected: []inject.Injection{{Cloud: "aws"}}, Warnings: []serviceaccount.Problem{{Code: "WI051"}}}}, time.Millisecond)
	RegisterStore(r, sastore.New(nil))
	RegisterCertificate(r, time.Now)
	RegisterAudit(r, new(audit.Auditor))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	registered := map[string]bool{}
	for _, f := range families {
		registered[f.GetName()] = true
	}
	doc, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(podpass_webhook_[a-z_]+)`").FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(registered)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("(-registered +documented)\n%s", diff)
	}
}
