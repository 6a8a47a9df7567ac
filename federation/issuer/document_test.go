package issuer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer"
)

// TestDocument: the document is an API server's, byte for byte but for white space.
func TestDocument(t *testing.T) {
	d, err := issuer.NewDocument("https://issuer.example.com/prod", issuer.DefaultJWKSPath, keysOf(t, "rsa.pub", "ec.pub"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "issuer": "https://issuer.example.com/prod",
  "jwks_uri": "https://issuer.example.com/prod/openid/v1/jwks",
  "response_types_supported": [
    "id_token"
  ],
  "subject_types_supported": [
    "public"
  ],
  "id_token_signing_alg_values_supported": [
    "ES256",
    "RS256"
  ]
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if path, ok := d.JWKSPath(); path != "/openid/v1/jwks" || !ok {
		t.Errorf("%q, %v", path, ok)
	}
	d.JWKSURI = "https://elsewhere.example.com/openid/v1/jwks"
	if path, ok := d.JWKSPath(); ok {
		t.Errorf("keys elsewhere: %q", path)
	}
	for _, path := range []string{"", "jwks", issuer.DiscoveryPath, "/../jwks"} {
		if _, err := issuer.NewDocument("https://issuer.example.com", path, nil); err == nil {
			t.Errorf("JWKS path %q is taken", path)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://issuer.example.com":                   "",
		"https://issuer.example.com/prod/":             "",
		"https://s3.eu-central-1.amazonaws.com/bucket": "",
		"":                              "empty",
		"https://issuer.example.com:x":  "not a URL",
		"issuer.example.com":            "not https",
		"https:///path":                 "without a host",
		"https://me@issuer.example.com": "with a user name",
		"https://issuer.example.com?":   "with a query or a fragment",
		"https://issuer.example.com#":   "with a query or a fragment",
		"https://issuer.example.com/" + strings.Repeat("a", 300): "of 327 characters, more than the 255 that AWS takes",
	} {
		var got string
		if err := issuer.CheckURL(url); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}
