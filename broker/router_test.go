package broker

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRoutes: each path leads to its protocol, in a pod that has the identity, and
// nowhere in all others; it is counted as that protocol's.
func TestRoutes(t *testing.T) {
	pods := map[string]string{
		"aws":   `{"aws":{"roleARN":"arn:aws:iam::111122223333:role/orders","audience":"sts.amazonaws.com","others":[{"name":"reports","roleARN":"arn:aws:iam::111122223333:role/reports"}]}}`,
		"azure": `{"azure":{"clientID":"11111111-2222-3333-4444-555555555555","tenantID":"11111111-2222-3333-4444-555555555555","audience":"api://AzureADTokenExchange"}}`,
		"gcp":   `{"gcp":{"provider":"//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/cluster","audience":"x"}}`,
		"oidc":  `{"oidc":{"sources":[{"name":"ledger","tokenURL":"https://ledger.example.com/token","audience":"x"}]}}`,
	}
	const (
		nobody  = "podpass-broker: this pod has no identity for that path\n"
		session = "a session is needed: "
	)
	for path, test := range map[string]struct {
		pod      string // which serves it; "*": each
		status   int
		says     string
		protocol string
	}{
		HealthPath:                        {"*", 200, "", "probe"},
		ReadyPath:                         {"*", 503, "waiting for the first answer of: ", "probe"},
		ExplainPath:                       {"*", 401, "the Authorization header must hold", "explain"},
		"/aws/v1/credentials":             {"aws", 401, `{"code":"Unauthorized"`, "aws"},
		"/aws/v1/credentials/reports":     {"aws", 401, `{"code":"Unauthorized"`, "aws"},
		"/aws/v1/credentials/other":       {"aws", 404, `{"code":"NotFound"`, "aws"},
		"/aws/v1/credentialsx":            {"", 0, "", "other"},
		"/latest/meta-data/":              {"aws", 401, session, "aws"},
		"//latest/meta-data/":             {"aws", 401, session, "aws"},
		"/latest":                         {"", 0, "", "other"},
		"/azure/v1/token":                 {"azure", 401, `{"error":"unauthorized"`, "azure"},
		"/azure/v1/tokens":                {"", 0, "", "other"},
		"/metadata/identity/oauth2/token": {"azure", 400, `{"error":"bad_request"`, "azure"},
		"/oidc/v1/token/ledger":           {"oidc", 401, "", "oidc"},
		"/oidc/v1/token/other":            {"oidc", 404, `{"error":"invalid_request"`, "oidc"},
		"/":                               {"gcp", 200, "", "gcp"},
		"/computeMetadata/v1/":            {"gcp", 403, "", "gcp"},
		"/0.1/meta-data":                  {"gcp", 403, "", "gcp"},
		"/computeMetadata":                {"gcp", 403, "", "gcp"},
		"/other":                          {"", 0, "", "other"},
	} {
		for pod, identities := range pods {
			b, err := New(Config{Identities: identities, Listen: "127.0.0.1:9911", Secret: "s", LogLevel: "info", LogFormat: "json", AWSIMDS: "true"}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9911"+path, nil))
			switch got := w.Body.String(); {
			case test.pod != pod && test.pod != "*":
				if w.Code != http.StatusNotFound || got != nobody {
					t.Errorf("%s, %s pod: %d %q", path, pod, w.Code, got)
				}
			case w.Code != test.status || !strings.HasPrefix(got, test.says) || got == nobody || w.Header().Get("Cache-Control") != "no-store":
				t.Errorf("%s, %s pod: %d %q, want %d %q", path, pod, w.Code, got, test.status, test.says)
			}
		}
		if got := protocol(path); got != test.protocol {
			t.Errorf("%s is counted as %s", path, got)
		}
	}
}

// TestIMDSIsOff unless the ServiceAccount asks for it.
func TestIMDSIsOff(t *testing.T) {
	b, err := New(Config{Identities: `{"aws":{"roleARN":"arn:aws:iam::111122223333:role/orders","audience":"x"}}`, Listen: "127.0.0.1:9911", Secret: "s", LogLevel: "info", LogFormat: "json"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodPut, http.MethodGet} {
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1:9911/latest/api/token", nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}
