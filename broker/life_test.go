package broker_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/program"
)

// again runs a second broker in w's world; stop ends it and gives Run's error.
func (w *world) again(t *testing.T, change func(*broker.Config)) (c broker.Config, log *program.Log, stop func() error) {
	t.Helper()
	c, log = w.config, new(program.Log)
	c.Listen, c.MetricsListen = program.Address(t), ""
	change(&c)
	b, err := broker.New(c, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(cancel)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", c.Listen); err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("the broker does not listen")
		}
	}
	return c, log, func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("Run goes on")
			return nil
		}
	}
}

// health is the probe's answer with the patience of a test, which knows how it ends.
func health(t *testing.T, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return broker.Health(ctx, address)
}

// TestStrictStartNamesTheCause: of a cloud that hangs, to the probe; to the end, which
// is none with success.
func TestStrictStartNamesTheCause(t *testing.T) {
	t.Parallel() // it waits
	w := start(t, nil)
	w.clouds.Faults.Set(fault.Fault{Operation: "aws", Status: 503, Body: "the region is away"})
	w.clouds.Faults.Set(fault.Fault{Operation: "azure", Hang: true})
	c, _, stop := w.again(t, func(c *broker.Config) { c.StrictStart = "true" })
	err := health(t, c.Listen)
	if err == nil || !strings.Contains(err.Error(), "azure (no answer for ") || !strings.Contains(err.Error(), "aws (Unavailable: ") {
		t.Errorf("the probe: %v", err)
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "strict-start") || !strings.Contains(err.Error(), "aws (Unavailable: ") {
		t.Errorf("the end: %v", err)
	}
}

// TestProvenTrustDoesNotHoldTheStart: a policy refuses the resource that is probed, which
// the administrator may change.
func TestProvenTrustDoesNotHoldTheStart(t *testing.T) {
	t.Parallel() // it waits
	w := start(t, nil)
	w.clouds.Faults.Set(fault.Fault{Operation: "azure", Status: 400, Body: `{"error":"interaction_required","error_description":"AADSTS53003: Access has been blocked by Conditional Access policies."}`})
	c, _, stop := w.again(t, func(c *broker.Config) { c.StrictStart = "true" })
	if err := health(t, c.Listen); err != nil {
		t.Errorf("the probe: %v", err)
	}
	if err := stop(); err != nil {
		t.Errorf("the end: %v", err)
	}
	w.clouds.Faults.Clear()
	_, _, stop = w.again(t, func(c *broker.Config) { c.AzureProbeResource = "api://not-there" })
	time.Sleep(500 * time.Millisecond)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestRolesHaveNames: two of them are not both called aws.
func TestRolesHaveNames(t *testing.T) {
	t.Parallel() // it waits
	w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, _ *world) {
		ids.AWS.Others = []aws.NamedRole{{Name: "reports", RoleARN: "arn:aws:iam::111122223333:role/reports"}}
	})
	w.clouds.Faults.Set(fault.Fault{Operation: "aws", Status: 503})
	c, _, stop := w.again(t, func(c *broker.Config) { c.StrictStart = "true" })
	if err := health(t, c.Listen); err == nil || !strings.Contains(err.Error(), ": aws (") || !strings.Contains(err.Error(), ", aws/reports (") {
		t.Errorf("the probe: %v", err)
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "aws/reports") {
		t.Errorf("the end: %v", err)
	}
}

// TestStopLetsExchangesEnd: a request that waits for its exchange when SIGTERM comes
// has its credential, and nothing is an error in the log.
func TestStopLetsExchangesEnd(t *testing.T) {
	w := start(t, nil)
	w.clouds.Faults.Set(fault.Fault{Operation: "aws", LatencyMillis: 700})
	c, log, stop := w.again(t, func(c *broker.Config) { c.MetricsListen = program.Address(t) })
	status := make(chan int, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.Listen+awsPath, nil)
		if err != nil {
			t.Error(err)
		}
		req.Header.Set("Authorization", secret)
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	time.Sleep(200 * time.Millisecond)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := <-status; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := log.String(); strings.Contains(got, `"ERROR"`) || !strings.Contains(got, `"Serving","address":"`+c.Listen+`","aws":true,"gcp":true,"azure":true,"oidc":false`) || !strings.Contains(got, `"msg":"Stopped"}`) {
		t.Errorf("log:\n%s", got)
	}
}

// TestStopWithASilentClient takes no time, and is no failure.
func TestStopWithASilentClient(t *testing.T) {
	w := start(t, nil)
	c, _, stop := w.again(t, func(*broker.Config) {})
	conn, err := net.Dial("tcp", c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	if err := stop(); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestTakenMetricsPort is reported, and credentials are served.
func TestTakenMetricsPort(t *testing.T) {
	w := start(t, nil)
	c, log, stop := w.again(t, func(c *broker.Config) { c.MetricsListen = w.config.MetricsListen })
	if err := health(t, c.Listen); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "No metrics are served") {
		t.Error("it is not reported")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
