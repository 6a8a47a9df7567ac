package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata/fake"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/audit"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// documented is a row of the table in docs/metrics.md.
type documented struct {
	Type   string
	Labels []string
}

// TestMetricsAreDocumented: docs/metrics.md has what is registered, with type and labels,
// and nothing else.
func TestMetricsAreDocumented(t *testing.T) {
	r := prometheus.NewRegistry()
	m := NewMetrics(r)
	m.observe(decision{outcome: outcomeInjected, result: inject.Result{Injected: []inject.Injection{{Cloud: "aws"}}, Warnings: []serviceaccount.Problem{{Code: "WI051"}}}}, time.Millisecond)
	RegisterStore(r, watching(t))
	RegisterCertificate(r, ending(time.Hour))
	RegisterAudit(r, audited{})
	settings := new(SettingsFile)
	settings.current.Store(new(inForce))
	RegisterSettings(r, settings)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	registered := map[string]documented{}
	for _, f := range families {
		d := documented{Type: strings.ToLower(f.GetType().String())}
		for _, l := range f.GetMetric()[0].GetLabel() {
			d.Labels = append(d.Labels, l.GetName())
		}
		registered[f.GetName()] = d
	}
	doc, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	inTable := map[string]documented{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(podpass_webhook_[a-z_]+)` \\| (\\w+) \\|([^|]*)\\|").FindAllStringSubmatch(string(doc), -1) {
		d := documented{Type: m[2]}
		for _, l := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[3], -1) {
			d.Labels = append(d.Labels, l[1])
		}
		slices.Sort(d.Labels) // as a scrape has them
		inTable[m[1]] = d
	}
	if diff := cmp.Diff(registered, inTable); diff != "" {
		t.Errorf("(-registered +documented)\n%s", diff)
	}
}

// watching is a store that has heard of a cluster with two ServiceAccounts, one of them
// with an identity.
func watching(t *testing.T) *sastore.Store {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	account := func(name string, annotations map[string]string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: annotations},
		}
	}
	s := sastore.New(fake.NewSimpleMetadataClient(scheme, account("plain", nil), account("orders", map[string]string{"eks.amazonaws.com/role-arn": role})))
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.Start(ctx) }) // it gives none
	t.Cleanup(func() { stop(); ended.Wait() })
	for deadline := time.Now().Add(5 * time.Second); s.LastHeard().IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was listed")
		}
	}
	return s
}

// gauge is the value of a metric without labels; false: it is absent.
func gauge(t *testing.T, r prometheus.Gatherer, name string) (float64, bool) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue(), true
		}
	}
	return 0, false
}

// TestStoreIsCounted: how many ServiceAccounts are known, of which how many with an
// identity, and when the watch last said anything; before it did so, there is no such
// time, and an alert on its age has nothing to look at.
func TestStoreIsCounted(t *testing.T) {
	const heard = "podpass_webhook_serviceaccounts_watch_timestamp_seconds"
	silent := prometheus.NewRegistry()
	RegisterStore(silent, sastore.New(nil))
	if at, ok := gauge(t, silent, heard); ok {
		t.Errorf("a watch that has not begun spoke at %v", at)
	}
	s := watching(t)
	r := prometheus.NewRegistry()
	RegisterStore(r, s)
	if _, err := s.GetLive(t.Context(), "shop", "plain"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"podpass_webhook_serviceaccounts": 2, "podpass_webhook_serviceaccounts_annotated": 1, "podpass_webhook_live_reads_total": 1,
		heard: float64(s.LastHeard().Unix()),
	} {
		if got, ok := gauge(t, r, name); got != want || !ok {
			t.Errorf("%s %v, %t, want %v", name, got, ok, want)
		}
	}
}

// TestAlertsHaveSeriesFromTheStart: a rate of what has not happened yet is 0, not absent.
func TestAlertsHaveSeriesFromTheStart(t *testing.T) {
	r := prometheus.NewRegistry()
	NewMetrics(r)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			got[f.GetName()] = append(got[f.GetName()], strings.Join(labels, ","))
		}
	}
	want := map[string][]string{
		"podpass_webhook_reviews_total":                {"outcome=bad_request,reason=bad_request", "outcome=failed,reason=failed", "outcome=overloaded,reason=overloaded"},
		"podpass_webhook_serviceaccount_reviews_total": {"outcome=bad_request", "outcome=failed", "outcome=overloaded"},
		"podpass_webhook_panics_total":                 {""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBucketsOfReviews: from a part of a millisecond, where most are, to the seconds after
// which an API server has given up. Queries name them.
func TestBucketsOfReviews(t *testing.T) {
	r := prometheus.NewRegistry()
	NewMetrics(r).observe(decision{outcome: outcomeUnchanged}, time.Millisecond)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, f := range families {
		if f.GetName() == "podpass_webhook_review_duration_seconds" {
			for _, b := range f.GetMetric()[0].GetHistogram().GetBucket() {
				got = append(got, b.GetUpperBound())
			}
		}
	}
	if diff := cmp.Diff([]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}, got); diff != "" {
		t.Error(diff)
	}
}

// TestNameThatIsTaken: two metrics of one name are an error at the start, and not at each
// scrape, also while they are absent.
func TestNameThatIsTaken(t *testing.T) {
	absent := func() (float64, bool) { return 0, false }
	r := prometheus.NewRegistry()
	r.MustRegister(optionalGauge("a", "b", absent))
	if err := r.Register(optionalGauge("a", "b", absent)); err == nil {
		t.Error("no error")
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
