package broker_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/program"
)

// explained waits until each of the pod's own credentials has been tried.
func explained(t *testing.T, w *world) *broker.Explanation {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		e, err := broker.AskExplain(t.Context(), w.config)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(e.Credentials, func(c broker.CredentialState) bool {
			return c.Own && c.ValidUntil == nil && c.LastError == nil
		}) {
			return e
		}
		if time.Now().After(end) {
			t.Fatalf("not all tried: %+v", e.Credentials)
		}
	}
}

func TestExplain(t *testing.T) {
	w := start(t, func(c *trust.Config, _ *serviceaccount.Identities, _ *world) { c.AWS.Roles[0].Subjects = nil })
	e := explained(t, w)
	own := map[string]*broker.CredentialState{}
	for i, c := range e.Credentials {
		if c.Own {
			own[c.Cloud] = &e.Credentials[i]
		}
	}
	if diff := cmp.Diff([]string{"aws", "azure", "gcp"}, slices.Sorted(maps.Keys(own))); diff != "" {
		t.Fatal(diff)
	}
	if a := own["aws"]; a.ValidUntil != nil || a.LastError.Kind != federation.KindSubjectMismatch && a.LastError.Kind != federation.KindDenied ||
		a.LastError.Code != "AccessDenied" || !strings.Contains(a.LastError.Hint, subject) || a.NextExchange == nil {
		t.Errorf("aws: %+v %+v", a, a.LastError)
	}
	if g := own["gcp"]; g.ValidUntil == nil || g.NextExchange == nil || g.LastError != nil || !strings.Contains(g.Principal, account) {
		t.Errorf("gcp: %+v", g)
	}
	if len(e.Tokens) != 3 || e.Tokens[0].Claims == nil || e.Tokens[0].Claims.Subject != subject || e.Tokens[0].Claims.Pod != "orders-1" {
		t.Errorf("tokens: %+v", e.Tokens)
	}
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "aws: ") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("Err: %v", err)
	}
	var table strings.Builder
	if err := e.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"podpass-broker 1.2.3", subject, account, "AccessDenied", "hint: "} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table does not say %q:\n%s", part, table.String())
		}
	}
}

func scrape(t *testing.T, w *world) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.config.MetricsListen+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", resp.Status, err)
	}
	return string(raw)
}

// TestMetrics reads them with Prometheus' own parser.
func TestMetrics(t *testing.T) {
	w := start(t, func(c *trust.Config, _ *serviceaccount.Identities, _ *world) { c.AWS.Roles[0].Subjects = nil })
	explained(t, w)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scrape(t, w)))
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string, labels map[string]string) (float64, bool) {
		for _, m := range families[name].GetMetric() {
			got := map[string]string{}
			for _, l := range m.GetLabel() {
				got[l.GetName()] = l.GetValue()
			}
			if cmp.Equal(got, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()), true
			}
		}
		return 0, false
	}
	if v, ok := value("podpass_broker_exchanges_total", map[string]string{"cloud": "azure", "outcome": "success", "kind": ""}); !ok || v != 1 {
		t.Errorf("azure's exchanges: %v", v)
	}
	if v, ok := value("podpass_broker_exchange_duration_seconds", map[string]string{"cloud": "azure"}); !ok || v != 1 {
		t.Errorf("azure's durations: %v", v)
	}
	if v, ok := value("podpass_broker_credential_remaining_seconds", map[string]string{"cloud": "azure"}); !ok || v < 1000 {
		t.Errorf("azure's remaining life: %v", v)
	}
	if v, ok := value("podpass_broker_credential_remaining_seconds", map[string]string{"cloud": "aws"}); !ok || v != 0 {
		t.Errorf("aws's remaining life: %v", v)
	}
	if v, ok := value("podpass_broker_requests_total", map[string]string{"protocol": "explain", "status": "200"}); !ok || v < 1 {
		t.Errorf("explain's requests: %v", v)
	}
}

// TestStrictStart: the pod does not start without its credentials; where they are
// refused for good the broker ends with the cause, and where the cloud is away it
// waits, however long.
func TestStrictStart(t *testing.T) {
	t.Parallel() // it waits
	config := func(t *testing.T, w *world) broker.Config {
		c := w.config
		c.Listen, c.MetricsListen, c.StrictStart = program.Address(t), "", "true"
		return c
	}
	t.Run("refused", func(t *testing.T) {
		w := start(t, func(c *trust.Config, _ *serviceaccount.Identities, _ *world) { c.AWS.Roles[0].Subjects = nil })
		b, err := broker.New(config(t, w), new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		err = b.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "must not start without its aws credentials") || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("away, and back", func(t *testing.T) {
		w := start(t, nil)
		w.clouds.Faults.Set(fault.Fault{Operation: "aws", Status: 503})
		c := config(t, w)
		b, err := broker.New(c, new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		defer func() {
			stop()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}()
		if err := health(t, c.Listen); err == nil || !strings.Contains(err.Error(), "aws") {
			t.Fatalf("without AWS credentials: %v", err)
		}
		w.clouds.Faults.Clear()
		for end := time.Now().Add(20 * time.Second); health(t, c.Listen) != nil; {
			if time.Now().After(end) {
				t.Fatal("not ready though the cloud is back")
			}
		}
	})
}

// TestExplainIsRefused to who does not know the secret, or is not in the pod; nothing
// stands behind the refusal.
func TestExplainIsRefused(t *testing.T) {
	w := start(t, nil)
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"no secret":      {nil, 401},
		"another secret": {[]string{awsHeader + "x"}, 401},
		"another host":   {[]string{awsHeader, "Host: evil.example.com"}, 403},
		"forwarded":      {[]string{awsHeader, "X-Forwarded-For: 192.0.2.1"}, 403},
	} {
		if got := w.get(t, broker.ExplainPath, test.headers...); got.status != test.want || strings.Contains(got.body, "{") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
