package gcpsts_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/podpass-io/podpass/test/cloud/gcpsts"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// key makes a key of a service account, and what Google keeps of it.
func key(t *testing.T, id string) (*rsa.PrivateKey, trust.GCPKey) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, trust.GCPKey{ID: id, PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
}

// sign makes a JWT that names a key.
func sign(t *testing.T, private *rsa.PrivateKey, id string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	headers := jws.NewHeaders()
	if id != "" {
		if err := headers.Set(jws.KeyIDKey, id); err != nil {
			t.Fatal(err)
		}
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.RS256(), private, jws.WithProtectedHeaders(headers)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// TestBearerGrantIsStrict: what is refused to who signs with a key of a service account,
// and that a key's use is counted, as is that of its access tokens.
func TestBearerGrantIsStrict(t *testing.T) {
	private, registered := key(t, "first")
	off, disabled := key(t, "second")
	disabled.Disabled = true
	s := &gcpsts.Server{Trust: trust.GCP{ServiceAccounts: []trust.GCPServiceAccount{{Email: account, Keys: []trust.GCPKey{registered, disabled}}}}}
	now := time.Now()
	good := map[string]any{"iss": account, "aud": "https://example.com/token", "scope": everScope, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	with := func(name string, value any) string {
		claims := maps.Clone(good)
		claims[name] = value
		return sign(t, private, "first", claims)
	}
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	for name, test := range map[string]struct {
		grant, assertion string
		says             string // "": it is given
	}{
		"as it should be":   {grant, sign(t, private, "first", good), ""},
		"without a key ID":  {grant, sign(t, private, "", good), ""},
		"another grant":     {"client_credentials", sign(t, private, "first", good), "unsupported_grant_type"},
		"no JWT":            {grant, "x", "Bad Request"},
		"another account":   {grant, with("iss", delegate), "account not found"},
		"another key":       {grant, sign(t, private, "second", good), "Invalid JWT Signature."},
		"a disabled key":    {grant, sign(t, off, "second", good), "Invalid JWT Signature."},
		"a deleted key":     {grant, sign(t, private, "third", good), "Invalid JWT Signature."},
		"another server":    {grant, with("aud", "https://example.org/token"), "Failed audience check"},
		"it has expired":    {grant, with("exp", now.Add(-10*time.Minute).Unix()), "short-lived token"},
		"it comes too late": {grant, with("exp", now.Add(2*time.Hour).Unix()), "short-lived token"},
		"no scope":          {grant, with("scope", " "), "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := post(s, "/token", form, url.Values{"grant_type": {test.grant}, "assertion": {test.assertion}}.Encode(), nil)
			if want := map[bool]int{true: 200, false: 400}[test.says == ""]; status != want || !strings.Contains(body, test.says) {
				t.Errorf("status %d, want %d and %q: %s", status, want, test.says, body)
			}
		})
	}
	if d := cmp.Diff(map[string]int{"first": 2}, s.Uses.Counts()); d != "" {
		t.Error("uses of keys:", d)
	}
	_, body := post(s, "/token", form, url.Values{"grant_type": {grant}, "assertion": {sign(t, private, "first", good)}}.Encode(), nil)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/oauth2/v3/tokeninfo?access_token="+answer.AccessToken, nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), account) || s.Uses.Counts()["first"] != 4 {
		t.Errorf("its token: status %d, uses %v: %s", w.Code, s.Uses.Counts(), w.Body.String())
	}
}
