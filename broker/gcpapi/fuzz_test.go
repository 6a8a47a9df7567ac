package gcpapi_test

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

// FuzzRequest: whatever bytes a process of the pod sends, nothing breaks, what is
// refused costs no exchange, and a token is only given to what the rules let pass,
// here written once more.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{
		"/", "/computeMetadata/v1", accounts + "?recursive=true&alt=text", accounts + "default/token?scopes=a,b", accounts + account + "/identity?audience=x&format=full",
		accounts + strings.Replace(principal, "://", ":/", 1) + "/token", v1 + "project/project-id?wait_for_change=true&last_etag=0", v1 + "instance%2F", "//computeMetadata/v1/",
	} {
		for _, rest := range []string{
			"Host: 127.0.0.1:9911\r\nMetadata-Flavor: Google\r\n\r\n", "Host: metadata.google.internal.\r\nMetadata-Flavor: Google\r\n\r\n",
			"Host: [::1]:9911\r\nMetadata-Flavor: Google\r\nX-Forwarded-For: ::1\r\n\r\n", "Host: evil.example.com\r\n\r\n",
		} {
			f.Add([]byte("GET "+target+" HTTP/1.1\r\n"+rest), false)
			f.Add([]byte("GET "+target+" HTTP/1.1\r\n"+rest), true)
		}
	}
	f.Add([]byte("POST "+accounts+"default/token HTTP/1.1\r\nHost: localhost\r\nMetadata-Flavor: Google\r\nContent-Length: 1\r\n\r\nx"), false)
	f.Fuzz(func(t *testing.T, raw []byte, down bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // net/http refuses it before the handler
		}
		c := &cloud{answer: "ya29.secret"}
		if down {
			c.err = &federation.Error{Cloud: "gcp", Kind: federation.KindUnavailable, Message: "down"}
		}
		w := httptest.NewRecorder()
		handler(gcp.Identity{Provider: provider, ServiceAccount: account, Project: "example-project"}, c).ServeHTTP(w, r)

		statuses := []int{200, 301, 400, 403, 404, 405}
		if down && len(c.asked) > 0 {
			statuses = []int{503}
		}
		if !slices.Contains(statuses, w.Code) {
			t.Errorf("status %d", w.Code)
		}
		if len(c.asked) > 1 || (w.Code != 200 && w.Code != 503 && len(c.asked) > 0) {
			t.Errorf("status %d, and the cloud was asked for %q", w.Code, c.asked)
		}
		if w.Header().Get("Metadata-Flavor") != "Google" || w.Header().Get("Content-Type") == "" {
			t.Errorf("header %v", w.Header())
		}
		if len(c.asked) > 0 && !trusted(r) {
			t.Errorf("a token was given to %q", raw)
		}
		if strings.Contains(w.Body.String(), "ya29.secret") && len(c.asked) == 0 {
			t.Error("a token came from nowhere")
		}
		for _, asked := range c.asked {
			if strings.Count(asked, "+") > 8<<10 || len(asked) > 9<<10 {
				t.Errorf("asked for %d bytes", len(asked))
			}
		}
	})
}

// trusted are the rules for a request that may have a token.
func trusted(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	names := []string{"127.0.0.1", "localhost", "::1", "[::1]", "169.254.169.254", "metadata", "metadata.google.internal"}
	_, forwarded := r.Header["X-Forwarded-For"]
	return r.Method == http.MethodGet && r.Header.Get("Metadata-Flavor") == "Google" && !forwarded && slices.Contains(names, strings.TrimSuffix(host, "."))
}
