package tokenapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/podpass-io/podpass/broker/apitest"
	"github.com/podpass-io/podpass/broker/tokenapi"
	"github.com/podpass-io/podpass/federation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "6f0c1b6a-pod-uid"

func handler(err error) *tokenapi.Handler {
	return &tokenapi.Handler{
		Secret: secret, Log: slog.New(slog.DiscardHandler),
		AccessToken: func(context.Context) (federation.Credential, error) {
			return federation.Credential{Token: "at-secret", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, err
		},
	}
}

func ask(h http.Handler, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9911"+tokenapi.Path+"/registry", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestFailures in RFC 6749's shape.
func TestFailures(t *testing.T) {
	apitest.Failures(t, func(err error) *httptest.ResponseRecorder { return ask(handler(err), nil) }, []string{"error"}, []string{"error_description"})
}

// TestRefused: without a token in its body.
func TestRefused(t *testing.T) {
	apitest.Refused(t, func(change func(*http.Request)) (*httptest.ResponseRecorder, int) {
		asked := 0
		h := handler(nil)
		give := h.AccessToken
		h.AccessToken = func(ctx context.Context) (federation.Credential, error) {
			asked++
			return give(ctx)
		}
		return ask(h, change), asked
	}, 2)
}

// TestAnswer: RFC 6749's fields, with the life that is left now; the secret with and
// without its scheme.
func TestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(nil)
		c, err := h.AccessToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.AccessToken = func(context.Context) (federation.Credential, error) { return c, nil }
		for authorization, want := range map[string]int{
			"Bearer " + secret: 200, "bearer " + secret: 200, secret: 200, "Basic " + secret: 401, "Bearer": 401, "Bearer ": 401, "": 401,
		} {
			if w := ask(h, func(r *http.Request) { r.Header.Set("Authorization", authorization) }); w.Code != want {
				t.Errorf("%q: %d, want %d", authorization, w.Code, want)
			}
		}
		for _, want := range []string{"3600", "3540"} {
			w := ask(h, nil)
			if got := w.Body.String(); got != `{"access_token":"at-secret","token_type":"Bearer","expires_in":`+want+"}\n" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("got %s", got)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestNotFound: a path that nobody has says which annotation adds one.
func TestNotFound(t *testing.T) {
	w := httptest.NewRecorder()
	tokenapi.NotFound(w, nil)
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "podpass.io/oidc-token-sources") || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestHangingCloud: the answer comes before the server's time-outs, and a client's of three seconds.
func TestHangingCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(nil)
		h.AccessToken = func(ctx context.Context) (federation.Credential, error) {
			<-ctx.Done()
			return federation.Credential{}, ctx.Err()
		}
		began := time.Now()
		w := ask(h, nil)
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took > 2*time.Second || took < 2*time.Second*9/10 {
			t.Errorf("%d after %s", w.Code, took)
		}
	})
}

// TestNothingWaitsOn: once a request has its answer, nobody works for it any more.
func TestNothingWaitsOn(t *testing.T) {
	h := handler(nil)
	var given context.Context
	h.AccessToken = func(ctx context.Context) (federation.Credential, error) {
		given = ctx
		return federation.Credential{}, nil
	}
	if ask(h, nil); given.Err() == nil {
		t.Error("its context goes on")
	}
}

func TestLogIsNotFlooded(t *testing.T) {
	var log strings.Builder
	h := handler(&federation.Error{Cloud: "oidc", Kind: federation.KindDenied, Message: "why"})
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 1000 {
		ask(h, nil)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines for one error", n)
	}
}

// FuzzRequest: no request panics, and only who knows the secret gets a token.
func FuzzRequest(f *testing.F) {
	h := handler(nil)
	f.Add("GET", secret, "127.0.0.1:9911", "", "")
	f.Add("GET", "guess", "127.0.0.1:9911", "", "")
	f.Add("POST", "Bearer "+secret, "[::1", "X-Forwarded-For", "10.0.0.1")
	f.Fuzz(func(t *testing.T, method, authorization, host, header, value string) {
		w := ask(h, func(r *http.Request) {
			r.Method, r.Host = method, host
			r.Header = http.Header{"Authorization": {authorization}}
			if header != "" {
				r.Header.Add(header, value)
			}
		})
		if w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
		loopback := slices.ContainsFunc([]string{"127.0.0.1", "localhost", "::1", "169.254.169.254", "metadata"}, func(name string) bool {
			return strings.Contains(strings.ToLower(host), name)
		})
		mine := method == http.MethodGet && strings.HasSuffix(authorization, secret) && loopback && header != "X-Forwarded-For" && header != "Forwarded"
		if strings.Contains(w.Body.String(), "at-secret") && !mine {
			t.Errorf("a token for %q %q at %q with %q", method, authorization, host, header)
		}
	})
}
