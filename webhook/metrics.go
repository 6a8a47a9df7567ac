package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/webhook/sastore"
)

// outcome of a review: a metric's label and a log's attribute.
type outcome string

const (
	outcomeInjected   outcome = "injected"
	outcomeUnchanged  outcome = "unchanged"
	outcomeDenied     outcome = "denied"
	outcomeFailed     outcome = "failed"
	outcomeBadRequest outcome = "bad_request"
)

// Metrics of the webhook. The table in docs/metrics.md names them all.
type Metrics struct {
	reviews *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// NewMetrics registers the webhook's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podpass_webhook_reviews_total", Help: "Admission reviews answered, by outcome.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "podpass_webhook_review_duration_seconds", Help: "Time to answer a review, in seconds.",
			// A review takes well below a millisecond unless the API server is asked.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5},
		}, []string{"outcome"}),
	}
	for _, o := range []outcome{outcomeInjected, outcomeUnchanged, outcomeDenied, outcomeFailed, outcomeBadRequest} {
		m.reviews.WithLabelValues(string(o)) // so that a rate is 0 rather than absent
	}
	r.MustRegister(m.reviews, m.seconds)
	return m
}

func (m *Metrics) observe(o outcome, d time.Duration) {
	m.reviews.WithLabelValues(string(o)).Inc()
	m.seconds.WithLabelValues(string(o)).Observe(d.Seconds())
}

// RegisterStore registers the metrics of the ServiceAccount store.
func RegisterStore(r prometheus.Registerer, s *sastore.Store) {
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "podpass_webhook_serviceaccounts", Help: "ServiceAccounts known."},
			func() float64 { all, _ := s.Len(); return float64(all) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "podpass_webhook_serviceaccounts_annotated", Help: "ServiceAccounts known that carry a key of podpass's vocabularies."},
			func() float64 { _, annotated := s.Len(); return float64(annotated) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "podpass_webhook_live_reads_total", Help: "ServiceAccounts read from the API server within a review."},
			func() float64 { return float64(s.LiveReads()) }),
	)
}

// RegisterCertificate registers the serving certificate's end.
func RegisterCertificate(r prometheus.Registerer, notAfter func() time.Time) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "podpass_webhook_certificate_expiry_timestamp_seconds", Help: "When the serving certificate ends, in seconds since 1970.",
	}, func() float64 { return float64(notAfter().Unix()) }))
}
