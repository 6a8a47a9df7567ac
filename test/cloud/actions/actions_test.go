package actions_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/test/cloud/actions"
)

// TestActions: what is given, and that nothing is to whoever asks otherwise than GitHub's
// own toolkit.
func TestActions(t *testing.T) {
	a := actions.Start(t)
	for name, test := range map[string]struct {
		method, url, authorization string
		want                       int
	}{
		"as GitHub says":     {"GET", a.RequestURL + "&audience=prod", "Bearer " + a.RequestToken, 200},
		"without a bearer":   {"GET", a.RequestURL + "&audience=prod", "", 401},
		"another bearer":     {"GET", a.RequestURL + "&audience=prod", "Bearer x", 401},
		"a POST":             {"POST", a.RequestURL + "&audience=prod", "Bearer " + a.RequestToken, 405},
		"no audience":        {"GET", a.RequestURL, "Bearer " + a.RequestToken, 400},
		"two audiences":      {"GET", a.RequestURL + "&audience=a&audience=b", "Bearer " + a.RequestToken, 400},
		"another plan":       {"GET", a.URL + "/x?api-version=2.0&audience=prod", "Bearer " + a.RequestToken, 404},
		"the version is off": {"GET", strings.TrimSuffix(a.RequestURL, "?api-version=2.0") + "?audience=prod", "Bearer " + a.RequestToken, 400},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.authorization != "" {
				req.Header.Set("Authorization", test.authorization)
			}
			resp, err := a.Client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var out struct{ Value string }
			if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != test.want {
				t.Fatalf("%d: %v", resp.StatusCode, err)
			}
			got, err := federation.ParseSubjectToken([]byte(out.Value))
			if (err == nil) != (test.want == 200) || err == nil && (got.Subject != actions.Subject || got.Audiences[0] != "prod") {
				t.Errorf("a token of %+v: %v", got.Claims, err)
			}
		})
	}
	if a.Asked() != 1 {
		t.Errorf("%d tokens were given, want 1", a.Asked())
	}
}
