package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/test/program"
)

// newCertificate is for the loopback, and its own CA.
func newCertificate(t *testing.T) Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(program.Certificate(t))
	if err != nil {
		t.Fatal(err)
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
}

// running is a server as the manager runs it.
type running struct {
	*Server
	url    string
	client *http.Client
	// signal is what the first signal does; ended has what Start returned.
	signal context.CancelFunc
	ended  chan error
}

func run(t *testing.T, delay time.Duration, handler http.HandlerFunc) *running {
	t.Helper()
	config, err := TLS(newCertificate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	address := program.Address(t)
	r := &running{
		Server: NewServer(ServerOptions{Listen: address, TLS: config, ShutdownDelay: delay, Log: slog.New(slog.DiscardHandler)}),
		url:    "https://" + address, ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}},
	}
	r.Register("/", handler)
	var ctx context.Context
	ctx, r.signal = context.WithCancel(t.Context())
	t.Cleanup(r.signal)
	ctx, end := r.Lifetime(ctx)
	t.Cleanup(end)
	go func() { r.ended <- r.Start(ctx) }()
	for deadline := time.Now().Add(5 * time.Second); r.StartedChecker()(nil) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not started")
		}
	}
	return r
}

func (r *running) get() (int, error) {
	resp, err := r.client.Get(r.url + "/")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func (r *running) stopped(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("Start: %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the server has not stopped")
	}
}

// TestReviewUnderWayAtShutdownIsAnswered: a live read that goes on when the signal
// comes is not given up, and whoever waits for it gets its answer.
func TestReviewUnderWayAtShutdownIsAnswered(t *testing.T) {
	reading, answer := make(chan struct{}), make(chan struct{})
	r := run(t, 0, func(_ http.ResponseWriter, req *http.Request) {
		close(reading)
		select {
		case <-answer:
		case <-req.Context().Done():
			t.Error("the live read was given up")
		}
	})
	status := make(chan int, 1)
	go func() {
		s, err := r.get()
		if err != nil {
			t.Error(err)
		}
		status <- s
	}()
	<-reading
	r.signal()
	select {
	case err := <-r.ended:
		t.Fatalf("ended with a review under way: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(answer)
	if s := <-status; s != http.StatusOK {
		t.Errorf("status %d", s)
	}
	r.stopped(t)
}

// TestReadinessGoesFirst: API servers still send reviews after the signal, for as
// long as they have not noticed.
func TestReadinessGoesFirst(t *testing.T) {
	const delay = time.Second
	r := run(t, delay, func(http.ResponseWriter, *http.Request) {})
	start := time.Now()
	r.signal()
	for r.StartedChecker()(nil) == nil {
		time.Sleep(time.Millisecond)
	}
	for time.Since(start) < delay/3 {
		r.client.CloseIdleConnections() // new connections too
		if status, err := r.get(); status != http.StatusOK && time.Since(start) < delay {
			t.Errorf("refused %s after the signal: %d, %v", time.Since(start), status, err)
		}
	}
	r.stopped(t)
	if took := time.Since(start); took < delay {
		t.Errorf("ended %s after the signal, before the delay of %s", took, delay)
	}
	if _, err := r.get(); err == nil {
		t.Error("serves although it has stopped")
	}
}

// TestStopIsLogged: for how long admission goes on, and that it has ended.
func TestStopIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := NewServer(ServerOptions{TLS: new(tls.Config), ShutdownDelay: 20 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, signal := context.WithCancel(t.Context())
		lifetime, end := s.Lifetime(ctx)
		defer end()
		signal()
		start := time.Now()
		<-lifetime.Done()
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("went on for %s", took)
		}
		_, first, _ := strings.Cut(log.String(), "level=")
		if !strings.HasPrefix(first, `INFO msg="Stopping: no longer ready, still serving" for=20s`) || !strings.HasSuffix(first, "level=INFO msg=\"Admission has stopped\"\n") {
			t.Errorf("log: %s", &log)
		}
	})
}

// TestEndsWithTheManager: without a signal, since another part of the process failed.
func TestEndsWithTheManager(t *testing.T) {
	config, err := TLS(newCertificate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(ServerOptions{Listen: program.Address(t), TLS: config, ShutdownDelay: time.Hour, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Start(ctx) }()
	for s.StartedChecker()(nil) != nil {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.StartedChecker()(nil) == nil {
		t.Error("ready although it has stopped")
	}
}

// TestTakenAddressIsAnError: a replica that does not listen must not look alive.
func TestTakenAddressIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := NewServer(ServerOptions{Listen: listener.Addr().String(), TLS: new(tls.Config), Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(t.Context()); err == nil {
		t.Error("no error")
	}
	if s.StartedChecker()(nil) == nil {
		t.Error("ready without listening")
	}
}

// TestServerThatCannotServeIsAnError: the manager ends with it.
func TestServerThatCannotServeIsAnError(t *testing.T) {
	s := NewServer(ServerOptions{Listen: "127.0.0.1:0", TLS: new(tls.Config), Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "serve admission: ") {
		t.Errorf("without a certificate: %v", err)
	}
}

// TestDrainEnds: a client that takes no answer does not keep the process from ending; the
// log says that a review was given up.
func TestDrainEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := NewServer(ServerOptions{TLS: new(tls.Config), Log: slog.New(slog.NewTextHandler(&log, nil))})
		hangs := make(chan struct{})
		s.http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs })
		conn := dial(t, s.http)
		request(t, conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		start := time.Now()
		s.drain()
		if took := time.Since(start); took != drainTimeout {
			t.Errorf("drained in %s, want %s", took, drainTimeout)
		}
		for _, want := range []string{`level=WARN msg="Reviews were not answered in time" after=10s`, `level=INFO msg="Admission has stopped"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s is not in the log: %s", want, &log)
			}
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection is left open: %v", err)
		}
		close(hangs)
	})
}

// TestIdleClientsAreCutOff: whoever reaches a port can hold a connection and nothing
// more, and not for long.
func TestIdleClientsAreCutOff(t *testing.T) {
	ready := func(*http.Request) error { return nil }
	log := slog.New(slog.DiscardHandler)
	for server, newServer := range map[string]func() *http.Server{
		"admission": func() *http.Server {
			s := NewServer(ServerOptions{TLS: new(tls.Config), Log: log})
			s.Register("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
			return s.http
		},
		"probes": func() *http.Server { return NewProbeServer("", ready, prometheus.NewRegistry(), log) },
	} {
		for name, test := range map[string]struct {
			sends string
			most  time.Duration
		}{
			"nothing":        {"", headerTimeout},
			"half a header":  {"GET / HTTP/1.1\r\nHost:", headerTimeout},
			"half a body":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", requestTimeout},
			"one request":    {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout},
			"a large header": {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", time.Second},
		} {
			t.Run(server+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn := dial(t, newServer())
					start := time.Now()
					if test.sends != "" {
						request(t, conn, test.sends)
					}
					_, _ = io.Copy(io.Discard, conn) // until the server hangs up
					if took := time.Since(start); took > test.most {
						t.Errorf("held for %s, want at most %s", took, test.most)
					}
				})
			})
		}
	}
}

// TestBounds: what one client may have a server keep, in bytes and at one time.
func TestBounds(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, test := range map[string]struct {
		server      *http.Server
		connections int
	}{
		"admission": {NewServer(ServerOptions{TLS: new(tls.Config), Log: log}).http, 256},
		"probes":    {NewProbeServer("", nil, prometheus.NewRegistry(), log), 32},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.server.MaxHeaderBytes; got != 16<<10 {
				t.Errorf("headers of %d bytes", got)
			}
			if got := test.server.HTTP2.MaxConcurrentStreams; got != 100 {
				t.Errorf("%d streams of a connection", got)
			}
			var open []*fakeConn
			for range test.connections + 1 {
				open = append(open, new(fakeConn))
				test.server.ConnState(open[len(open)-1], http.StateNew)
			}
			for i, conn := range open {
				if conn.closed != (i == 0) {
					t.Errorf("connection %d of %d: closed %t", i, len(open), conn.closed)
				}
			}
		})
	}
}

// pipes is a listener in memory, for virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dial connects to a server that runs until the test ends.
func dial(t *testing.T, s *http.Server) net.Conn {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	go func() { _ = s.Serve(listener) }()
	client, server := net.Pipe()
	listener.conns <- server
	t.Cleanup(func() { _, _ = client.Close(), s.Close() })
	return client
}

func request(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	go func() { _, _ = io.WriteString(conn, text) }() // the server need not read it all
	synctest.Wait()
}

// TestScrapesAreBounded: whoever reaches the port gets four at one time, of some 100 KiB
// each.
func TestScrapesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proceed := make(chan struct{})
		r := prometheus.NewRegistry()
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "slow"}, func() float64 { <-proceed; return 0 }))
		s := NewProbeServer("", nil, r, slog.New(slog.DiscardHandler))
		answers := make(chan int, 5)
		for range 5 {
			go func() {
				w := httptest.NewRecorder()
				s.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
				answers <- w.Code
			}()
		}
		synctest.Wait()
		if n := len(answers); n != 1 || <-answers != http.StatusServiceUnavailable {
			t.Errorf("%d refused, want the fifth", n)
		}
		close(proceed)
		for range 4 {
			if status := <-answers; status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}
	})
}

// TestProbes: each tells what it is for, and health says nothing of readiness.
func TestProbes(t *testing.T) {
	registry := prometheus.NewRegistry()
	NewMetrics(registry)
	failing := io.ErrUnexpectedEOF
	s := NewProbeServer("", func(*http.Request) error { return failing }, registry, slog.New(slog.DiscardHandler))
	status := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 500, "/metrics": 200, "/debug/pprof/": 404} {
		if got, _ := status(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	failing = nil
	if got, _ := status("/readyz"); got != 200 {
		t.Errorf("ready: %d", got)
	}
}
