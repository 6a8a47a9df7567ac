package issuer_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer"
)

// site serves answers by path; with a location they are redirects.
func site(t *testing.T, answers map[string]string) *httptest.Server {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		answer = strings.ReplaceAll(answer, "ISSUER", server.URL)
		switch location, redirect := strings.CutPrefix(answer, "-> "); {
		case !ok:
			http.NotFound(w, r)
		case strings.HasSuffix(r.URL.Path, "/jwks") && r.Header.Get("Accept") == "application/json":
			http.Error(w, "only application/jwk-set+json", http.StatusNotAcceptable) // as an API server does
		case redirect:
			http.Redirect(w, r, location, http.StatusFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "max-age=60")
			_, _ = w.Write([]byte(answer))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

const (
	discovery = "/.well-known/openid-configuration"
	document  = `{"issuer":"ISSUER","jwks_uri":"ISSUER/openid/v1/jwks"}`
)

func TestFetch(t *testing.T) {
	jwks, err := keysOf(t, "ec.pub").JWKS()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answers map[string]string
		want    string // of Err
	}{
		"sound":            {answers: map[string]string{discovery: document, "/openid/v1/jwks": string(jwks)}},
		"nothing":          {want: "discovery: status 404 Not Found"},
		"no JSON":          {answers: map[string]string{discovery: "<html>"}, want: "discovery: not the JSON of a discovery document"},
		"no jwks_uri":      {answers: map[string]string{discovery: "{}"}, want: `JWKS: "" is no https URL`},
		"http":             {answers: map[string]string{discovery: `{"jwks_uri":"http://example.com"}`}, want: `JWKS: "http://example.com" is no https URL`},
		"no JWKS":          {answers: map[string]string{discovery: document}, want: "JWKS: status 404 Not Found"},
		"redirect":         {answers: map[string]string{discovery: "-> /elsewhere", "/elsewhere": document}, want: "discovery: status 302 Found to /elsewhere"},
		"endless document": {answers: map[string]string{discovery: strings.Repeat(" ", issuer.MaxSize+1)}, want: "discovery: larger than 131072 bytes"},
	} {
		server := site(t, test.answers)
		p := issuer.Fetch(t.Context(), server.Client(), server.URL)
		var got string
		if p.Err() != nil {
			got = p.Err().Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if test.want != "" {
			continue
		}
		if p.Document.Issuer != server.URL || len(p.Keys) != 1 || p.Keys[0].ID != ecID || !p.JWKS.Remote.IsLoopback() {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestFetchTrust: the client's roots decide; an issuer that is no https URL is not asked.
func TestFetchTrust(t *testing.T) {
	server := site(t, map[string]string{discovery: document})
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the handshake that is to fail
	stranger := &http.Client{Transport: &http.Transport{}}
	p := issuer.Fetch(t.Context(), stranger, server.URL)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](p.Discovery.Err); !ok {
		t.Errorf("a certificate of nobody: %v", p.Discovery.Err)
	}
	if p := issuer.Fetch(t.Context(), stranger, "http"+strings.TrimPrefix(server.URL, "https")); p.Discovery.Err == nil || p.Discovery.Status != 0 {
		t.Errorf("http: %+v", p.Discovery)
	}
}

func TestCacheLife(t *testing.T) {
	type answer struct {
		Life time.Duration
		Said bool
	}
	for header, want := range map[string]answer{
		"":                              {0, false},
		"public":                        {0, false},
		"public, max-age=3600":          {time.Hour, true},
		"Max-Age=60":                    {time.Minute, true},
		`max-age="60"`:                  {time.Minute, true},
		"max-age=60, s-maxage=10":       {10 * time.Second, true},
		"s-maxage=10, max-age=60":       {10 * time.Second, true},
		"max-age=60, no-store":          {0, true},
		"no-cache":                      {0, true},
		"max-age=-1":                    {0, false},
		"max-age=99999999999999999999":  {0, false},
		"private, max-age=60, s-maxage": {time.Minute, true},
	} {
		life, said := issuer.Response{CacheControl: header}.CacheLife()
		if diff := cmp.Diff(want, answer{life, said}); diff != "" {
			t.Errorf("%q: %s", header, diff)
		}
	}
}
