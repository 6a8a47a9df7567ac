// Package federationtest has what the tests of the exchangers share: a subject
// token, and a cloud that gives one answer.
package federationtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Subject and Audience are those of Token.
const (
	Subject  = "system:serviceaccount:shop:orders"
	Audience = "test-audience"
	Issuer   = "https://issuer.example.com"
)

// Token is a TokenSource of one valid token.
type Token struct{}

// Raw is the encoded token, the same at each call.
func (Token) Raw() string { return raw() }

var raw = sync.OnceValue(func() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"RS256","kid":"k1"}`) + "." + part(fmt.Sprintf(
		`{"iss":%q,"sub":%q,"aud":[%q],"exp":%d,"iat":%d,"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"orders"},"pod":{"name":"orders-1","uid":"u-1"}}}`,
		Issuer, Subject, Audience, time.Now().Add(time.Hour).Unix(), time.Now().Unix())) + "." + part("a signature is made of bytes, \xff\xfe\xfb and more of them, as long as RSA's")
})

// SubjectToken implements federation.TokenSource.
func (t Token) SubjectToken(context.Context) (federation.SubjectToken, error) {
	return federation.ParseSubjectToken([]byte(t.Raw()))
}

// Answer is what a cloud answers to everything.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// Serve starts a cloud on loopback.
func Serve(t *testing.T, a Answer) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range a.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write([]byte(a.Body)) // loopback
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Want is what an error must say.
type Want struct {
	Kind    federation.Kind
	Code    string
	Message string // a part of it
	// Hint has these parts.
	Hint       []string
	RetryAfter time.Duration
}

// Check holds err to want; it must not hold the token.
func Check(t *testing.T, err error, want Want) {
	t.Helper()
	e, ok := err.(*federation.Error) //nolint:errorlint // exchangers promise exactly this type
	if !ok {
		t.Fatalf("got %T %v, want *federation.Error", err, err)
	}
	if e.Kind != want.Kind || e.Code != want.Code || !strings.Contains(e.Message, want.Message) || e.RetryAfter != want.RetryAfter {
		t.Errorf("got kind %s, code %q, message %q, retry after %s\nwant %+v", e.Kind, e.Code, e.Message, e.RetryAfter, want)
	}
	for _, part := range want.Hint {
		if !strings.Contains(e.Hint, part) {
			t.Errorf("the hint does not say %q: %s", part, e.Hint)
		}
	}
	if Shows(fmt.Sprintf("%v %+v", err, e), Token{}.Raw()) {
		t.Error("the error holds the token")
	}
}
