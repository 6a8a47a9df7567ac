package guard_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		method, host, header string
		want                 int // 0: it may pass
	}{
		"the address":              {"GET", "127.0.0.1", "", 0},
		"with a port":              {"GET", "127.0.0.1:9911", "", 0},
		"localhost":                {"GET", "LocalHost:9911", "", 0},
		"IPv6":                     {"GET", "[::1]:9911", "", 0},
		"IPv6 without port":        {"GET", "[::1]", "", 0},
		"half a bracket":           {"GET", "[::1", "", 403},
		"a bracket too many":       {"GET", "localhost]", "", 403},
		"the link-local address":   {"GET", "169.254.169.254", "", 0},
		"metadata":                 {"GET", "metadata", "", 0},
		"Google's name":            {"GET", "metadata.google.internal:80", "", 0},
		"Google's name, final dot": {"GET", "metadata.google.internal.", "", 0},
		"no host":                  {"GET", "", "", 403},
		"another name":             {"GET", "evil.example.com", "", 403},
		"a name that begins so":    {"GET", "127.0.0.1.evil.example.com", "", 403},
		"a name that ends so":      {"GET", "evil.metadata.google.internal", "", 403},
		"another address":          {"GET", "10.0.0.1:9911", "", 403},
		"another loopback":         {"GET", "127.0.0.2", "", 403},
		"a user before it":         {"GET", "evil@127.0.0.1", "", 403},
		"a number":                 {"GET", "2130706433", "", 403},
		"forwarded":                {"GET", "127.0.0.1", "X-Forwarded-For", 403},
		"forwarded, by standard":   {"GET", "127.0.0.1", "Forwarded", 403},
		"POST":                     {"POST", "127.0.0.1", "", 405},
		"HEAD":                     {"HEAD", "127.0.0.1", "", 405},
		"TRACE":                    {"TRACE", "127.0.0.1", "", 405},
		"no method that is known":  {"get", "127.0.0.1", "", 405},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Method, r.Host = test.method, test.host
			if test.header != "" {
				r.Header.Set(test.header, "192.0.2.1")
			}
			got := 0
			if refused := guard.Check(r); refused != nil {
				got = refused.Status
			}
			if got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	for name, test := range map[string]struct {
		sent   string
		secret federation.Secret
		want   bool
	}{
		"the same":   {"uid", "uid", true},
		"another":    {"uie", "uid", false},
		"its start":  {"ui", "uid", false},
		"more":       {"uid ", "uid", false},
		"its case":   {"UID", "uid", false},
		"none":       {"", "uid", false},
		"none, none": {"", "", false}, // a broker without a secret serves nobody
	} {
		if got := guard.Secret(test.sent, test.secret); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
