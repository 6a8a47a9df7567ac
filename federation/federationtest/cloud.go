package federationtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Cloud is what the tests of all clouds need to know of one.
type Cloud struct {
	// Exchange asks a cloud that gives the answer.
	Exchange func(*testing.T, Answer) error
	// Says is an error in the cloud's own words, permanent by status 400, with this text.
	Says func(text string) string
	// Sends is what the request holds and nobody may read.
	Sends string
}

// Test holds a cloud to what is common to all: which answers are transient, that
// others' answers are never its own, and that a server's echo is not shown.
func (c Cloud) Test(t *testing.T) {
	const page = "<!DOCTYPE html><html><head><title>Blocked &amp; logged</title></head><body>Access denied by policy</body></html>"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	own := c.Says("own words")
	foreign := []string{"proxy", "portal"}
	for name, test := range map[string]struct {
		answer Answer
		kind   federation.Kind
		says   string
		hint   []string
	}{
		"a redirect":              {Answer{Status: 307, Header: map[string]string{"Location": elsewhere.URL + "/?x=" + c.Sends}}, federation.KindConfig, "redirects to " + elsewhere.URL + " ", []string{"chart value"}},
		"a redirect to a page":    {Answer{Status: 302, Header: map[string]string{"Location": elsewhere.URL}, Body: page}, federation.KindConfig, "redirects to", []string{"chart value"}},
		"a redirect to nowhere":   {Answer{Status: 301}, federation.KindConfig, "redirects to elsewhere", nil},
		"time-out":                {Answer{Status: 408, Body: own}, federation.KindUnavailable, "own words", nil},
		"time-out of a proxy":     {Answer{Status: 408, Body: page}, federation.KindUnavailable, "Blocked & logged", foreign},
		"throttled":               {Answer{Status: 429, Body: own}, federation.KindThrottled, "own words", nil},
		"throttled by a proxy":    {Answer{Status: 429}, federation.KindThrottled, "", nil},
		"down":                    {Answer{Status: 500, Body: own}, federation.KindUnavailable, "own words", nil},
		"down, and silent":        {Answer{Status: 503}, federation.KindUnavailable, "503", nil},
		"a gateway's page":        {Answer{Status: 502, Body: page}, federation.KindUnavailable, "Blocked & logged", foreign},
		"a proxy's page":          {Answer{Status: 403, Header: map[string]string{"Content-Type": "text/html"}, Body: page}, federation.KindConfig, `"Blocked & logged"`, foreign},
		"a page without a title":  {Answer{Status: 401, Body: "<html><title> </title>\n\n<p>Access   denied"}, federation.KindConfig, "Access denied", foreign},
		"a page in XHTML":         {Answer{Status: 403, Body: `<?xml version="1.0"?>` + page}, federation.KindConfig, "Blocked & logged", foreign},
		"a proxy's demand":        {Answer{Status: 407, Body: page}, federation.KindConfig, "status 407", foreign},
		"another server":          {Answer{Status: 404, Body: page}, federation.KindConfig, "status 404", foreign},
		"a portal's page":         {Answer{Status: 200, Body: page}, federation.KindUnavailable, "status 200", foreign},
		"a success that is a lie": {Answer{Status: 200, Body: `{"unknown":"` + c.Sends + `"}`}, federation.KindUnavailable, "status 200", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.answer.Header = withRetryAfter(test.answer.Header)
			e := c.fail(t, test.answer)
			if e.Kind != test.kind || !strings.Contains(e.Message, test.says) || e.Status != test.answer.Status || e.RetryAfter != 9*time.Second {
				t.Errorf("got kind %s, status %d, retry after %s, message %q\nwant %s, %q", e.Kind, e.Status, e.RetryAfter, e.Message, test.kind, test.says)
			}
			for _, part := range test.hint {
				if !strings.Contains(e.Hint, part) {
					t.Errorf("the hint does not say %q: %s", part, e.Hint)
				}
			}
			if e.Status == 200 && strings.Contains(e.Error(), "unknown") {
				t.Errorf("a success is shown: %s", e)
			}
			if test.hint != nil && strings.Contains(e.Hint, Subject) {
				t.Errorf("the trust is called at fault: %s", e.Hint)
			}
		})
	}
	t.Run("echo", func(t *testing.T) {
		for name, echo := range Echoes(c.Sends) {
			for form, body := range map[string]string{"own words": c.Says(echo), "page": "<html>" + echo, "own words at length": c.Says(strings.Repeat("ü", 500) + echo)} {
				if e := c.fail(t, Answer{Status: 400, Body: body}); Shows(fmt.Sprintf("%v %+v", e, *e), c.Sends) {
					t.Errorf("%s, %s: %s", form, name, e)
				}
			}
		}
	})
	t.Run("bounds", func(t *testing.T) {
		for n := range 3 {
			e := c.fail(t, Answer{Status: 400, Body: c.Says(strings.Repeat("x", n) + strings.Repeat("ü\x1b", 20_000))})
			if len(e.Message) > 1100 || strings.ContainsAny(e.Message, "\ufffd\x1b") || strings.ToValidUTF8(e.Message, "") != e.Message {
				t.Errorf("%d bytes: %q", len(e.Message), e.Message)
			}
		}
	})
}

func (c Cloud) fail(t *testing.T, a Answer) *federation.Error {
	t.Helper()
	err := c.Exchange(t, a)
	e, ok := err.(*federation.Error) //nolint:errorlint // exchangers promise exactly this type
	if !ok {
		t.Fatalf("got %T %v, want *federation.Error", err, err)
	}
	if Shows(e.Error(), c.Sends) {
		t.Errorf("the error shows what was sent: %s", e)
	}
	return e
}

func withRetryAfter(h map[string]string) map[string]string {
	all := map[string]string{"Retry-After": "9"}
	for k, v := range h {
		all[k] = v
	}
	return all
}

// Echoes are ways in which a server repeats what it was sent.
func Echoes(secret string) map[string]string {
	encoded := base64.StdEncoding.EncodeToString
	return map[string]string{
		"raw":              secret,
		"form":             url.Values{"assertion": {secret}}.Encode(),
		"form, twice":      url.QueryEscape(url.QueryEscape(secret)),
		"lower escapes":    strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(url.QueryEscape(secret)),
		"JSON":             strings.ReplaceAll(secret, "/", `\/`),
		"parts":            strings.ReplaceAll(secret, ".", " , "),
		"the end":          secret[len(secret)/2:],
		"lines":            lines(secret, 40),
		"base64":           encoded([]byte(secret)),
		"base64 of a form": encoded([]byte("assertion=" + secret + "&x=y")),
		"base64url":        base64.RawURLEncoding.EncodeToString([]byte("a" + secret)),
		"hex":              fmt.Sprintf("%x", secret),
	}
}

func lines(s string, n int) string {
	var b strings.Builder
	for ; len(s) > n; s = s[n:] {
		b.WriteString(s[:n] + " ")
	}
	return b.String() + s
}

// Shows reports whether text has a piece of secret, as it is or in base64 or hex.
func Shows(text, secret string) bool {
	const piece = 20
	for _, form := range []string{secret, url.QueryEscape(secret), fmt.Sprintf("%x", secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("a" + secret)), base64.StdEncoding.EncodeToString([]byte("ab" + secret))} {
		for i := 0; i+piece <= len(form); i++ {
			if strings.Contains(text, form[i:i+piece]) {
				return true
			}
		}
	}
	return false
}
