package webhook

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/webhook/audit"
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
	outcomeOverloaded outcome = "overloaded"
	// Of ServiceAccounts only.
	outcomeAccepted outcome = "accepted"
	outcomeWarned   outcome = "warned"
)

// Metrics of the webhook. The table in docs/metrics.md names them all.
type Metrics struct {
	reviews    *prometheus.CounterVec
	injections *prometheus.CounterVec
	warnings   *prometheus.CounterVec
	accounts   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	panics     prometheus.Counter
}

// NewMetrics registers the webhook's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podpass_webhook_reviews_total", Help: "Admission reviews of pods answered, by outcome and its reason.",
		}, []string{"outcome", "reason"}),
		injections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podpass_webhook_injections_total", Help: "Identities injected into pods, by cloud and mode.",
		}, []string{"cloud", "mode"}),
		warnings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podpass_webhook_warnings_total", Help: "Warnings given with the admission of pods, by code.",
		}, []string{"code"}),
		accounts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podpass_webhook_serviceaccount_reviews_total", Help: "Admission reviews of ServiceAccounts answered, by outcome.",
		}, []string{"outcome"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "podpass_webhook_panics_total", Help: "Reviews that ended in a panic, and were answered with status 500.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "podpass_webhook_review_duration_seconds", Help: "Time to answer a review of a pod, in seconds.",
			// A review takes well below a millisecond unless the API server is asked.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5},
		}, []string{"outcome"}),
	}
	// What alerts look at exists from the start, so that a rate is 0 rather than absent.
	for _, o := range []outcome{outcomeFailed, outcomeBadRequest, outcomeOverloaded} {
		m.reviews.WithLabelValues(string(o), string(o))
		m.accounts.WithLabelValues(string(o))
	}
	r.MustRegister(m.reviews, m.injections, m.warnings, m.accounts, m.seconds, m.panics)
	return m
}

func (m *Metrics) observe(d decision, took time.Duration) {
	m.reviews.WithLabelValues(string(d.outcome), d.reason()).Inc()
	m.seconds.WithLabelValues(string(d.outcome)).Observe(took.Seconds())
	for _, w := range d.result.Warnings {
		m.warnings.WithLabelValues(w.Code).Inc()
	}
	if d.outcome == outcomeInjected {
		for _, i := range d.result.Injected {
			m.injections.WithLabelValues(i.Cloud, string(i.Mode)).Inc()
		}
	}
}

// reason is the label of a decision: of the constants of package inject, and of
// the problems' codes, so that there are some dozens at most.
func (d decision) reason() string {
	if len(d.result.Errors) > 0 {
		return d.result.Errors[0].Code
	}
	return cmp.Or(d.result.Reason, string(d.outcome))
}

// RegisterStore registers the metrics of the ServiceAccount store.
func RegisterStore(r prometheus.Registerer, s *sastore.Store) {
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "podpass_webhook_serviceaccounts", Help: "ServiceAccounts known."},
			func() float64 { all, _ := s.Len(); return float64(all) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "podpass_webhook_serviceaccounts_annotated", Help: "ServiceAccounts known that carry a key of podpass's vocabularies."},
			func() float64 { _, annotated := s.Len(); return float64(annotated) }),
		optionalGauge("podpass_webhook_serviceaccounts_watch_timestamp_seconds", "When the watch of ServiceAccounts last said anything, in seconds since 1970; absent until then.",
			func() (float64, bool) { return float64(s.LastHeard().Unix()), !s.LastHeard().IsZero() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "podpass_webhook_live_reads_total", Help: "ServiceAccounts read from the API server within a review."},
			func() float64 { return float64(s.LiveReads()) }),
	)
}

// optional is a gauge that is absent while it has no value: 0, or 1970, would be one.
type optional struct {
	desc  *prometheus.Desc
	value func() (float64, bool)
}

func optionalGauge(name, help string, value func() (float64, bool)) optional {
	return optional{desc: prometheus.NewDesc(name, help, nil, nil), value: value}
}

// Describe implements prometheus.Collector.
func (o optional) Describe(c chan<- *prometheus.Desc) { c <- o.desc }

// Collect implements prometheus.Collector.
func (o optional) Collect(c chan<- prometheus.Metric) {
	if v, ok := o.value(); ok {
		c <- prometheus.MustNewConstMetric(o.desc, prometheus.GaugeValue, v)
	}
}

// RegisterCertificate registers when the serving certificate ends.
func RegisterCertificate(r prometheus.Registerer, certificate Certificate) {
	r.MustRegister(optionalGauge("podpass_webhook_certificate_expiry_timestamp_seconds", "When the serving certificate ends, in seconds since 1970; absent until there is one.",
		func() (float64, bool) {
			end, ok := certificate.notAfter()
			return float64(end.Unix()), ok
		}))
}

// Audit finds pods that were missed: an audit.Auditor.
type Audit interface {
	LastPass() (audit.Pass, bool)
}

// RegisterAudit registers what the audit found.
func RegisterAudit(r prometheus.Registerer, a Audit) {
	r.MustRegister(
		optionalGauge("podpass_webhook_uninjected_pods", "Pods that run without the identity that their ServiceAccount asks for, as of the last complete audit; only of the replica that audits.",
			func() (float64, bool) {
				pass, ok := a.LastPass()
				return float64(pass.Uninjected), ok
			}),
		optionalGauge("podpass_webhook_malformed_serviceaccounts", "ServiceAccounts whose pods are denied, or will be, for their annotations, as of the last complete audit; only of the replica that audits.",
			func() (float64, bool) {
				pass, ok := a.LastPass()
				return float64(pass.Malformed), ok
			}),
		optionalGauge("podpass_webhook_audit_timestamp_seconds", "When the last complete audit ended, in seconds since 1970; only of the replica that audits.",
			func() (float64, bool) {
				pass, ok := a.LastPass()
				return float64(pass.Ended.Unix()), ok
			}),
	)
}
