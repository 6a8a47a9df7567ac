package sdks

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRefused: what an attacker can make somebody's program send to the endpoint
// (SSRF, DNS rebinding, a proxy) gets no credential. Each request differs in one
// thing from one that is answered.
func TestRefused(t *testing.T) {
	w := newWorld(t, scenario{})
	b := buildBroker(t).startReady(t, w)
	protocols := map[string]struct {
		path   string
		header [2]string // without which nothing is answered
		status int       // without it
	}{
		"aws":        {"/aws/v1/credentials", [2]string{"Authorization", b.secret}, http.StatusUnauthorized},
		"gcp":        {"/computeMetadata/v1/instance/service-accounts/default/token", [2]string{"Metadata-Flavor", "Google"}, http.StatusForbidden},
		"azure":      {"/azure/v1/token?api-version=2019-08-01&resource=https://management.azure.com", [2]string{"X-IDENTITY-HEADER", b.secret}, http.StatusUnauthorized},
		"azure IMDS": {"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com", [2]string{"Metadata", "true"}, http.StatusBadRequest},
	}
	requests := map[string]struct {
		change func(*http.Request)
		status int // 0: the protocol's own for a missing header
	}{
		"as an SDK sends it": {func(*http.Request) {}, http.StatusOK},
		"without its header": {func(r *http.Request) { r.Header = http.Header{} }, 0},
		"forwarded":          {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.1") }, http.StatusForbidden},
		"for another host":   {func(r *http.Request) { r.Host = "attacker.example.com" }, http.StatusForbidden},
		"for a look-alike":   {func(r *http.Request) { r.Host = "127.0.0.1.attacker.example.com:9911" }, http.StatusForbidden},
		"POST":               {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"OPTIONS":            {func(r *http.Request) { r.Method = http.MethodOptions }, http.StatusMethodNotAllowed},
	}
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for protocol, p := range protocols {
		for name, request := range requests {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.address+p.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set(p.header[0], p.header[1])
				request.change(r)
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				want := request.status
				if want == 0 {
					want = p.status
				}
				if resp.StatusCode != want {
					t.Errorf("status %d, want %d; body %.200s", resp.StatusCode, want, body)
				}
				if want != http.StatusOK {
					w.secretFree(t, "the refusal", string(body))
				} else if !strings.Contains(strings.ToLower(string(body)), "token") {
					t.Errorf("the control has no credential: %.40s", body)
				}
			})
		}
	}
}
