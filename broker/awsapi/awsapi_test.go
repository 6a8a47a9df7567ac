package awsapi_test

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
	"github.com/podpass-io/podpass/broker/awsapi"
	"github.com/podpass-io/podpass/federation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "6f0c1b6a-pod-uid"

func handler(err error) *awsapi.Handler {
	return &awsapi.Handler{
		RoleARN: "arn:aws:iam::111122223333:role/team/orders", Secret: secret, Log: slog.New(slog.DiscardHandler),
		Credentials: func(context.Context) (federation.Credential, error) {
			return federation.Credential{
				AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "key", Token: "session",
				Expiry: federation.ExpiresAt(time.Now(), time.Date(2030, 1, 2, 3, 4, 5, 600, time.FixedZone("", 3600))),
			}, err
		},
	}
}

func ask(h http.Handler, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9911"+awsapi.Path, nil)
	r.Header.Set("Authorization", secret)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestCredentials: the fields and forms that all SDKs read, and no other.
func TestCredentials(t *testing.T) {
	w := ask(handler(nil), nil)
	var got map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %v", w.Code, w.Header().Get("Content-Type"), err)
	}
	want := map[string]string{
		"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "key", "Token": "session", "AccountId": "111122223333",
		"RoleArn": "arn:aws:iam::111122223333:role/team/orders", "Expiration": "2030-01-02T02:04:05Z",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d fields, want %d", len(got), len(want))
	}
}

// TestFailures: both spellings of the fields, for Go reads the lower case ones.
func TestFailures(t *testing.T) {
	apitest.Failures(t, func(err error) *httptest.ResponseRecorder { return ask(handler(err), nil) }, []string{"code", "Code"}, []string{"message", "Message"})
}

// TestRefused: without a key in its body.
func TestRefused(t *testing.T) {
	apitest.Refused(t, func(change func(*http.Request)) (*httptest.ResponseRecorder, int) {
		asked := 0
		h := handler(nil)
		give := h.Credentials
		h.Credentials = func(ctx context.Context) (federation.Credential, error) {
			asked++
			return give(ctx)
		}
		return ask(h, change), asked
	}, 4)
}

// TestNotFound: a path that nobody has says which annotation adds one.
func TestNotFound(t *testing.T) {
	w := httptest.NewRecorder()
	awsapi.NotFound(w, nil)
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "podpass.io/aws-role-arn.") || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestHangingCloud: the answer comes before clients that wait one second give up.
func TestHangingCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(nil)
		h.Credentials = func(ctx context.Context) (federation.Credential, error) {
			<-ctx.Done()
			return federation.Credential{}, ctx.Err()
		}
		began := time.Now()
		w := ask(h, nil)
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took > 900*time.Millisecond || took < 900*time.Millisecond*9/10 {
			t.Errorf("%d after %s", w.Code, took)
		}
	})
}

// TestNothingWaitsOn: once a request has its answer, nobody works for it any more.
func TestNothingWaitsOn(t *testing.T) {
	h := handler(nil)
	var given context.Context
	h.Credentials = func(ctx context.Context) (federation.Credential, error) {
		given = ctx
		return federation.Credential{}, nil
	}
	if ask(h, nil); given.Err() == nil {
		t.Error("its context goes on")
	}
}

// TestLogIsNotFlooded: the same error is logged once a minute, and the try without a
// header with which the JavaScript SDK ends is none.
func TestLogIsNotFlooded(t *testing.T) {
	var log strings.Builder
	h := handler(&federation.Error{Cloud: "aws", Kind: federation.KindDenied, Message: "why"})
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 1000 {
		ask(h, nil)
		ask(h, func(r *http.Request) { r.Header.Del("Authorization") })
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "why") {
		t.Errorf("%d lines for one error: %s", n, log.String())
	}
}

// TestRoleWithoutAccount: what is no ARN has no account, and breaks nothing.
func TestRoleWithoutAccount(t *testing.T) {
	for _, arn := range []string{"", "orders", "arn:aws:iam:", "arn:aws:iam::"} {
		h := handler(nil)
		h.RoleARN = arn
		if w := ask(h, nil); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "AccountId") {
			t.Errorf("%q: %d %s", arn, w.Code, w.Body)
		}
	}
}

// FuzzRequest: no request panics, and only the pod's own SDK gets a key.
func FuzzRequest(f *testing.F) {
	h := handler(nil)
	f.Add("GET", secret, "127.0.0.1:9911", "", "")
	f.Add("GET", "guess", "127.0.0.1:9911", "", "")         // a wrong secret alone
	f.Add("GET", secret, "evil.example.com", "", "")        // a wrong host alone
	f.Add("GET", secret, "127.0.0.1", "Forwarded", "for=x") // forwarded alone
	f.Add("POST", "Bearer x", "[::1", "X-Forwarded-For", "10.0.0.1")
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
		mine := method == http.MethodGet && authorization == secret && loopback && header != "X-Forwarded-For" && header != "Forwarded"
		if strings.Contains(w.Body.String(), "ASIA") && !mine {
			t.Errorf("a key for %q %q at %q with %q", method, authorization, host, header)
		}
	})
}
