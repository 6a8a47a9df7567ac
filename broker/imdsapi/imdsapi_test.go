package imdsapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
)

func newHandler(err error) *Handler {
	return &Handler{
		RoleARN: "arn:aws:iam::111122223333:role/team/orders", Region: "eu-central-1", Secret: "pod-uid", Log: slog.New(slog.DiscardHandler),
		Credentials: func(context.Context) (federation.Credential, error) {
			return federation.Credential{
				AccessKeyID: "ASIA", SecretAccessKey: "key", Token: "token", Expiry: federation.ExpiresIn(time.Now(), time.Hour),
			}, err
		},
	}
}

func send(t testing.TB, h http.Handler, method, path string, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Host = "127.0.0.1:9911"
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func session(t testing.TB, h http.Handler, ttl string) map[string]string {
	t.Helper()
	w := send(t, h, http.MethodPut, tokenPath, map[string]string{ttlHeader: ttl})
	if w.Code != http.StatusOK || w.Header().Get(ttlHeader) != ttl {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	return map[string]string{tokenHeader: w.Body.String()}
}

func TestCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(nil)
		s := session(t, h, "21600")
		if w := send(t, h, "GET", rolesPath+"/", s); w.Body.String() != "orders" {
			t.Errorf("roles: %d %s", w.Code, w.Body)
		}
		if w := send(t, h, "GET", "/"+rolesPath, s); w.Body.String() != "orders" || !IsIMDS("/"+rolesPath) {
			t.Errorf("roles, two slashes: %d %s", w.Code, w.Body)
		}
		if w := send(t, h, "GET", regionPath, s); w.Body.String() != "eu-central-1" {
			t.Errorf("region: %d %s", w.Code, w.Body)
		}
		w := send(t, h, "GET", rolesPath+"/orders", s)
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		// The bubble's clock begins at midnight of 2000-01-01, UTC.
		if diff := cmp.Diff(map[string]string{
			"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2000-01-01T00:00:00Z", "Expiration": "2000-01-01T01:00:00Z",
			"AccessKeyId": "ASIA", "SecretAccessKey": "key", "Token": "token",
		}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		says   []string
	}{
		"refused":         {&federation.Error{Cloud: "imds", Kind: federation.KindDenied, Code: "AccessDenied", Message: "no", Hint: "trust"}, 200, []string{`"Code":"AccessDenied"`, "hint: trust"}},
		"without a code":  {&federation.Error{Cloud: "imds", Kind: federation.KindConfig, Message: "no"}, 200, []string{`"Code":"Config"`}},
		"away":            {&federation.Error{Cloud: "imds", Kind: federation.KindUnavailable, Message: "later"}, 503, []string{"later"}},
		"nobody knows it": {errors.New("x"), 503, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(test.err)
			w := send(t, h, "GET", rolesPath+"/orders", session(t, h, "60"))
			if w.Code != test.status || strings.Contains(w.Body.String(), "ASIA") || test.status == 503 && strings.Contains(w.Body.String(), "{") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			for _, part := range test.says {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("does not say %q: %s", part, w.Body)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	h := newHandler(nil)
	good := session(t, h, "60")[tokenHeader]
	for name, test := range map[string]struct {
		method, path string
		headers      map[string]string
		want         int
	}{
		"no session":             {"GET", rolesPath + "/orders", nil, 401},
		"a made-up session":      {"GET", rolesPath + "/orders", map[string]string{tokenHeader: "AQAEAK"}, 401},
		"another pod's session":  {"GET", rolesPath + "/orders", map[string]string{tokenHeader: (&Handler{Secret: "other"}).token(time.Now().Add(time.Hour))}, 401},
		"a session, forwarded":   {"GET", rolesPath + "/orders", map[string]string{tokenHeader: good, "X-Forwarded-For": "10.0.0.1"}, 403},
		"another role":           {"GET", rolesPath + "/admin", map[string]string{tokenHeader: good}, 404},
		"something of the node":  {"GET", "/latest/user-data", map[string]string{tokenHeader: good}, 404},
		"POST":                   {"POST", rolesPath, map[string]string{tokenHeader: good}, 405},
		"begin by GET":           {"GET", tokenPath, map[string]string{ttlHeader: "60"}, 405},
		"begin, forwarded":       {"PUT", tokenPath, map[string]string{ttlHeader: "60", "X-Forwarded-For": "10.0.0.1"}, 403},
		"begin without a life":   {"PUT", tokenPath, nil, 400},
		"begin for too long":     {"PUT", tokenPath, map[string]string{ttlHeader: "21601"}, 400},
		"begin for no time":      {"PUT", tokenPath, map[string]string{ttlHeader: "0"}, 400},
		"begin for who knows it": {"PUT", tokenPath, map[string]string{ttlHeader: "x"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(t, h, test.method, test.path, test.headers)
			if w.Code != test.want || strings.Contains(w.Body.String(), "ASIA") {
				t.Errorf("%d %s, want %d", w.Code, w.Body, test.want)
			}
		})
	}
}

// TestHangingCloud: the answer comes before SDKs give up, at one second.
func TestHangingCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(nil)
		h.Credentials = func(ctx context.Context) (federation.Credential, error) {
			<-ctx.Done()
			return federation.Credential{}, ctx.Err()
		}
		began := time.Now()
		w := send(t, h, "GET", rolesPath+"/orders", session(t, h, "60"))
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took != 900*time.Millisecond {
			t.Errorf("%d after %s", w.Code, took)
		}
	})
}

// TestNothingWaitsOn: once a request has its answer, nobody works for it any more.
func TestNothingWaitsOn(t *testing.T) {
	h := newHandler(nil)
	var given context.Context
	h.Credentials = func(ctx context.Context) (federation.Credential, error) {
		given = ctx
		return federation.Credential{}, nil
	}
	if send(t, h, "GET", rolesPath+"/orders", session(t, h, "60")); given.Err() == nil {
		t.Error("its context goes on")
	}
}

// TestNothingBehindARefusal: it is one line, and nobody is asked for it.
func TestNothingBehindARefusal(t *testing.T) {
	h := newHandler(nil)
	asked := 0
	give := h.Credentials
	h.Credentials = func(ctx context.Context) (federation.Credential, error) {
		asked++
		return give(ctx)
	}
	session := session(t, h, "60")
	h.Region = ""
	for name, w := range map[string]*httptest.ResponseRecorder{
		"no session":      send(t, h, "GET", rolesPath+"/orders", nil),
		"forwarded":       send(t, h, "GET", rolesPath+"/orders", map[string]string{tokenHeader: session[tokenHeader], "X-Forwarded-For": "x"}),
		"PUT, forwarded":  send(t, h, "PUT", tokenPath, map[string]string{ttlHeader: "60", "X-Forwarded-For": "x"}),
		"PUT, no life":    send(t, h, "PUT", tokenPath, nil),
		"PUT, no number":  send(t, h, "PUT", tokenPath, map[string]string{ttlHeader: "x"}),
		"PUT, too long":   send(t, h, "PUT", tokenPath, map[string]string{ttlHeader: "99999999999999999999"}),
		"unknown region":  send(t, h, "GET", regionPath, session),
		"another of EC2s": send(t, h, "GET", "/latest/dynamic/instance-identity/document", session),
	} {
		if body := w.Body.String(); w.Code < 400 || asked != 0 || strings.Index(body, "\n") != len(body)-1 || len(body) < 10 {
			t.Errorf("%s: %d %q, asked %d times", name, w.Code, body, asked)
		}
	}
}

// TestSessionIsNotLengthened: nobody can move a session's end, which stands in its token.
func TestSessionIsNotLengthened(t *testing.T) {
	h := newHandler(nil)
	b, err := base64.RawURLEncoding.DecodeString(session(t, h, "1")[tokenHeader])
	if err != nil {
		t.Fatal(err)
	}
	b[6]++
	if w := send(t, h, "GET", rolesPath, map[string]string{tokenHeader: base64.RawURLEncoding.EncodeToString(b)}); w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}

// TestTypes: what clients read is said to be what it is.
func TestTypes(t *testing.T) {
	h := newHandler(nil)
	s := session(t, h, "60")
	for path, want := range map[string]string{rolesPath: "text/plain", regionPath: "text/plain", rolesPath + "/orders": "application/json"} {
		if w := send(t, h, "GET", path, s); w.Code != http.StatusOK || w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	for path, want := range map[string]bool{"/latest/x": true, "//latest/x": true, "/latest": false, "/computeMetadata/v1/": false, "///latest/x": false} {
		if IsIMDS(path) != want {
			t.Errorf("IsIMDS(%q) is %t", path, !want)
		}
	}
}

// TestLogIsNotFlooded: the same error is logged once a minute.
func TestLogIsNotFlooded(t *testing.T) {
	var log strings.Builder
	h := newHandler(&federation.Error{Cloud: "imds", Kind: federation.KindDenied, Message: "why"})
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := session(t, h, "60")
	for range 1000 {
		send(t, h, "GET", rolesPath+"/orders", s)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines for one error", n)
	}
}

func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(nil)
		s := session(t, h, "60")
		time.Sleep(59 * time.Second)
		if w := send(t, h, "GET", rolesPath, s); w.Code != http.StatusOK {
			t.Errorf("before its end: %d", w.Code)
		}
		time.Sleep(time.Second)
		if w := send(t, h, "GET", rolesPath, s); w.Code != http.StatusUnauthorized {
			t.Errorf("after its end: %d", w.Code)
		}
	})
}

// FuzzRequest: no request panics, and none without a session of ours gets a key.
func FuzzRequest(f *testing.F) {
	h := newHandler(nil)
	f.Add("GET", rolesPath+"/orders", "x", "60", "127.0.0.1")
	f.Add("PUT", tokenPath, "", "21600", "169.254.169.254")
	f.Fuzz(func(t *testing.T, method, path, token, ttl, host string) {
		r := &http.Request{Method: method, Host: host, Header: http.Header{tokenHeader: {token}, ttlHeader: {ttl}}}
		u, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/"+strings.TrimPrefix(path, "/"), nil)
		if err != nil {
			return
		}
		r.URL = u.URL
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "ASIA") && !h.known(token, time.Now()) {
			t.Errorf("a key for %s %s", method, path)
		}
		if w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
	})
}
