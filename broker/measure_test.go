package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/federation"
)

// source gives credentials of this life; 0: none.
type source struct {
	key  string
	life time.Duration
}

func (s source) Key() string { return s.key }

func (s source) Exchange(context.Context) (federation.Credential, error) {
	if s.life == 0 {
		return federation.Credential{}, errors.New("refused")
	}
	return federation.Credential{Token: "x", Expiry: federation.ExpiresAt(time.Now(), time.Now().Add(s.life))}, nil
}

// TestRemainingLife: of each cloud's own credentials the least, 0 where one is not
// there; what applications ask for besides does not count.
func TestRemainingLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Broker{cache: cache.New(cache.Options{})}
		for _, s := range []struct {
			name string
			source
		}{
			{"aws", source{"aws/1", 2 * time.Hour}}, {"aws/reports", source{"aws/2", time.Hour}}, {"aws/other", source{"aws/3", 3 * time.Hour}},
			{"gcp", source{"gcp/1", time.Hour}}, {"azure", source{"azure/1", time.Hour}}, {"azure/other", source{"azure/2", 0}},
		} {
			b.cache.Pin(s.name, s.source)
			if s.name != "gcp" {
				_, _ = b.cache.Get(t.Context(), s.source) // one is refused
			}
		}
		if _, err := b.cache.Get(t.Context(), source{"aws/4", time.Minute}); err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"aws": time.Hour, "gcp": 0, "azure": 0}
		if diff := cmp.Diff(want, b.remaining()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestTidyUp: memory is given back once all has been tried, and not before.
func TestTidyUp(t *testing.T) {
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	synctest.Test(t, func(t *testing.T) {
		b := &Broker{cache: cache.New(cache.Options{})}
		own := source{"aws/1", time.Hour}
		b.cache.Pin("aws", own)
		before, done := collections(), make(chan error, 1)
		go func() { done <- b.tidyUp(t.Context()) }()
		time.Sleep(time.Minute)
		if got := collections(); got != before {
			t.Errorf("%d collections while it is awaited", got-before)
		}
		if _, err := b.cache.Get(t.Context(), own); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil || collections() != before+1 {
			t.Errorf("%v, and %d collections", err, collections()-before)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		b.cache.Pin("gcp", source{"gcp/1", time.Hour})
		if err := b.tidyUp(gone); err != nil || collections() != before+1 {
			t.Errorf("the end: %v, and %d collections", err, collections()-before)
		}
	})
}

// TestBounds: what a client may send, and how long it may take.
func TestBounds(t *testing.T) {
	s := (&Broker{log: slog.New(slog.DiscardHandler)}).httpServer(http.NotFoundHandler())
	got := map[string]any{"header": s.MaxHeaderBytes, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout}
	want := map[string]any{"header": 8192, "read": 5 * time.Second, "write": 15 * time.Second, "idle": time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReasonFitsAnEvent: a cause is one line, and bounded.
func TestReasonFitsAnEvent(t *testing.T) {
	s := cache.State{Err: &federation.Error{Kind: federation.KindDenied, Message: "no\n\tentry " + strings.Repeat("x", 600)}}
	if got := reason(s); !strings.HasPrefix(got, " (Denied: ") || !strings.Contains(got, "no entry x") || !strings.HasSuffix(got, "x...)") || len(got) != 480+len(" (Denied: ...)") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := reason(cache.State{}); got != "" {
		t.Errorf("nothing is known: %s", got)
	}
	if got := reason(cache.State{Exchanging: time.Now().Add(-2400 * time.Millisecond)}); got != " (no answer for 2s)" {
		t.Errorf("it hangs: %s", got)
	}
}

// TestExplanation: the subject token of each cloud and of each token source, or why it
// cannot be read; of an error what the cloud said apart from what podpass makes of it.
func TestExplanation(t *testing.T) {
	b, err := New(Config{
		Identities: `{"azure":{"clientID":"11111111-2222-3333-4444-555555555555","tenantID":"11111111-2222-3333-4444-555555555555","audience":"x"},` +
			`"oidc":{"sources":[{"name":"ledger","tokenURL":"https://ledger.example.com/token","audience":"x"},{"name":"vault","tokenURL":"https://vault.example.com/token","audience":"x"}]}}`,
		Listen: "127.0.0.1:9911", Secret: "s", LogLevel: "info", LogFormat: "json", TokenDir: t.TempDir(), Version: "1.2.3",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	e := b.explain(t.Context())
	var tokens []string
	for _, s := range e.Tokens {
		tokens = append(tokens, s.Cloud)
		if s.Error == "" || s.Claims != nil {
			t.Errorf("%+v", s)
		}
	}
	if diff := cmp.Diff([]string{"azure", "oidc-ledger", "oidc-vault"}, tokens); diff != "" || e.Version != "1.2.3" {
		t.Errorf("version %s, tokens (-want +got)\n%s", e.Version, diff)
	}
	cloud := &federation.Error{Kind: federation.KindDenied, Op: "sts:AssumeRole", Status: 403, Code: "E", Message: "no", Hint: "do this", RequestID: "r"}
	mute := &federation.Error{Kind: federation.KindUnavailable, Op: "sts:AssumeRole"}
	for name, test := range map[string]struct {
		err  error
		want *ErrorDetails
	}{
		"none":          {nil, nil},
		"a cloud's":     {cloud, &ErrorDetails{Kind: federation.KindDenied, Operation: "sts:AssumeRole", Status: 403, Code: "E", Message: "no", Hint: "do this", RequestID: "r"}},
		"without words": {mute, &ErrorDetails{Kind: federation.KindUnavailable, Operation: "sts:AssumeRole", Message: mute.Error()}},
		"another":       {errors.New("no file"), &ErrorDetails{Kind: federation.KindOf(errors.New("no file")), Message: "no file"}},
	} {
		c := credentialState(cache.State{Err: test.err})
		if diff := cmp.Diff(test.want, c.LastError); diff != "" || c.NextExchange != nil || c.ValidUntil != nil || c.Exchanging {
			t.Errorf("%s: %+v (-want +got)\n%s", name, c, diff)
		}
	}
	if c := credentialState(cache.State{Exchanging: time.Now()}); !c.Exchanging {
		t.Errorf("%+v", c)
	}
}

// TestTakenPort ends the broker, with what to do about it.
func TestTakenPort(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{config: loaded{Config: Config{Listen: l.Addr().String()}}, log: slog.New(slog.DiscardHandler), cache: cache.New(cache.Options{}), stopping: make(chan struct{})}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "podpass.io/broker-port") {
		t.Errorf("it is taken: %v", err)
	}
	// A listener that fails later ends it, too: kubelet starts another.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it is closed: %v", err)
	}
}

// TestAskExplain: what is no explanation is an error that says what is.
func TestAskExplain(t *testing.T) {
	var answer func(http.ResponseWriter)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "s" || r.URL.Path != ExplainPath {
			t.Errorf("asked for %s", r.URL)
		}
		answer(w)
	}))
	address := strings.TrimPrefix(s.URL, "http://")
	say := func(status int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text) // loopback
		}
	}
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		says   string
	}{
		"refused":           {say(401, "no secret\n"), "the broker answers 401 Unauthorized: no secret"},
		"as long as may be": {say(200, `{"version":"1.2.3"`+strings.Repeat(" ", 4<<20-19)+"}"), ""},
		"too long":          {say(200, `{"version":"1.2.3"`+strings.Repeat(" ", 4<<20-18)+"}"), "unexpected end of JSON"},
		"no JSON":           {say(200, "x"), "invalid character"},
		"cut off":           {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "99") }, "unexpected EOF"},
		"an answer":         {say(200, `{"version":"1.2.3"}`), ""},
	} {
		answer = test.answer
		e, err := AskExplain(t.Context(), Config{Listen: address, Secret: "s"})
		if test.says == "" && (err != nil || e.Version != "1.2.3") || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
	s.Close()
	if _, err := AskExplain(t.Context(), Config{Listen: address}); err == nil || !strings.Contains(err.Error(), "in the pod alone") {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := AskExplain(t.Context(), Config{Listen: "%"}); err == nil {
		t.Error("no address was accepted")
	}
}
