package gcpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation/gcp"
)

// TestPrincipalIsNotRemembered: the account that is named after the token's subject has
// that name as soon as the token can be read.
func TestPrincipalIsNotRemembered(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider, PrincipalAsEmail: true}, new(cloud))
	for _, name := range []string{provider, principal} {
		h.Principal = func(context.Context) string { return name }
		if got := body(ask(h, accounts+"default/email")); got != name {
			t.Errorf("the account is %q, want %q", got, name)
		}
	}
}

// TestProvidersCluster: a cluster's name and location are shown only where the identity
// provider is a GKE cluster's.
func TestProvidersCluster(t *testing.T) {
	const issuer = "identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p"
	for suffix, want := range map[string]string{
		"/locations/l/clusters/n":   "cluster-location\ncluster-name\n",
		"/locations//clusters/n":    "",
		"/locations/l/clusters/":    "",
		"/locations/l":              "",
		"/clusters/n":               "",
		"/locations/l/x/clusters/n": "",
		"/locations/l/clusters/n/x": "",
	} {
		got := ask(handler(gcp.Identity{Provider: issuer + suffix}, new(cloud)), v1+"instance/attributes/")
		if text := body(got); want == "" && got.StatusCode != http.StatusNotFound || want != "" && text != want {
			t.Errorf("%s: %d %q", suffix, got.StatusCode, text)
		}
	}
}

// TestLimits: exactly at its bound a request is served, and above it refused.
func TestLimits(t *testing.T) {
	for target, want := range map[string]int{
		accounts + "default/token?scopes=" + strings.TrimSuffix(strings.Repeat("a,", 64), ","): 200,
		accounts + "default/token?scopes=" + strings.TrimSuffix(strings.Repeat("a,", 65), ","): 400,
		accounts + "default/identity?audience=" + strings.Repeat("x", 1024):                    200,
		accounts + "default/identity?audience=" + strings.Repeat("x", 1025):                    400,
		accounts + "default/token?x=" + strings.Repeat("x", 8<<10-2):                           200,
		accounts + "default/token?x=" + strings.Repeat("x", 8<<10-1):                           400,
		accounts + "default/token?scopes=!~":                                                   200,
		accounts + "default/token?scopes=%7f":                                                  400,
		accounts + "default/token?scopes=%5c":                                                  400,
		accounts + "default/token?scopes=%01":                                                  400,
	} {
		got := ask(handler(gcp.Identity{Provider: provider, ServiceAccount: account}, &cloud{answer: "ya29.x"}), target)
		if text := body(got); got.StatusCode != want || strings.Contains(text, "ya29") != (want == 200) || text == "" {
			t.Errorf("%.80s of %d bytes: %d, want %d: %s", target, len(target), got.StatusCode, want, text)
		}
	}
}

// TestOtherMethods are refused with the one that is allowed.
func TestOtherMethods(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodHead} {
		r := httptest.NewRequest(method, "http://127.0.0.1"+accounts+"default/token", nil)
		r.Header.Set("Metadata-Flavor", "Google")
		w := httptest.NewRecorder()
		handler(gcp.Identity{Provider: provider}, &cloud{answer: "ya29.x"}).ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodGet || strings.Contains(w.Body.String(), "ya29") {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

// TestIsMetadata: which paths are the metadata server's, so that a 404 is its own.
func TestIsMetadata(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/computeMetadata": true, "/computeMetadata/": true, "/computeMetadata/v1/": true, "/0.1/meta-data/": true,
		"/computeMetadataX": false, "/0.1": false, "/aws/v1/credentials": false, "": false,
	} {
		if gcpapi.IsMetadata(path) != want {
			t.Errorf("%q: %t", path, !want)
		}
	}
}

// TestProbe: "/" needs no header, and says what is below; nothing else does without.
func TestProbe(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider}, new(cloud))
	if got := ask(h, "/", "Metadata-Flavor: "); got.StatusCode != http.StatusOK || body(got) != "computeMetadata/\n" {
		t.Errorf("status %d", got.StatusCode)
	}
	for target, want := range map[string]string{
		v1 + "project/project-id": "podpass.io/gcp-project", accounts + "x/token": "one account", accounts + "default-token": "one account", v1 + "instance/disks/": "not found", "/computeMetadata/v2/": "not found",
	} {
		if got := ask(h, target); got.StatusCode != http.StatusNotFound || !strings.Contains(body(got), want) {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
	}
}
