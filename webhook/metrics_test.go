package webhook

import (
	"crypto/tls"
	"errors"
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
	RegisterCertificate(r, ending(time.Hour))
	RegisterAudit(r, audited{})
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

// audited has a complete pass.
type audited struct{}

func (audited) LastPass() (audit.Pass, bool) {
	return audit.Pass{Uninjected: 3, Ended: time.Unix(1e9, 0)}, true
}

// TestUnknownIsAbsent: a certificate that is not there yet has not ended in the year 1,
// which the documented alert is about, and a replica that does not audit has not found
// that all is well.
func TestUnknownIsAbsent(t *testing.T) {
	var certificate Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not yet") }
	r := prometheus.NewRegistry()
	RegisterCertificate(r, func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate(h) })
	RegisterAudit(r, new(audit.Auditor))
	if families, err := r.Gather(); len(families) != 0 || err != nil {
		t.Errorf("%v, %v", families, err)
	}
	certificate = ending(time.Hour)
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%v, %v", families, err)
	}
	if left := families[0].GetMetric()[0].GetGauge().GetValue() - float64(time.Now().Unix()); left < 3590 || left > 3600 {
		t.Errorf("%f seconds left of an hour", left)
	}
}
