package idp

import (
	"strings"
	"testing"
)

// TestClientIssues: issuers that people copy, and forms of them that no token has.
func TestClientIssues(t *testing.T) {
	for name, test := range map[string]struct {
		provider Provider
		issuer   string
		want     bool
	}{
		"Keycloak":                    {Keycloak, "https://sso.example.com/realms/prod", true},
		"Keycloak, below a path":      {Keycloak, "https://example.com/auth/realms/prod", true},
		"Keycloak, with a slash":      {Keycloak, "https://sso.example.com/realms/prod/", false},
		"Keycloak, an endpoint":       {Keycloak, "https://sso.example.com/realms/prod/protocol/openid-connect/auth", false},
		"Okta, the org's":             {Okta, "https://example.okta.com", true},
		"Okta, a server of one's own": {Okta, "https://example.okta.com/oauth2/aus1", true},
		"Okta, with a slash":          {Okta, "https://example.okta.com/", false},
		"Entra":                       {Entra, "https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/v2.0", true},
		"Entra, another cloud":        {Entra, "https://login.microsoftonline.us/99999999-8888-7777-6666-555555555555/v2.0", true},
		"Entra, version 1":            {Entra, "https://sts.windows.net/99999999-8888-7777-6666-555555555555/", false},
		"Entra, no tenant":            {Entra, "https://login.microsoftonline.com/common/v2.0", false},
		"Entra, a domain":             {Entra, "https://login.microsoftonline.com/example.com/v2.0", false},
		"Google":                      {Google, "https://accounts.google.com", true},
		"Google, with a slash":        {Google, "https://accounts.google.com/", false},
		"Auth0":                       {Auth0, "https://example.eu.auth0.com/", true},
		"Auth0, without the slash":    {Auth0, "https://example.eu.auth0.com", false},
		"any other":                   {"", "https://login.example.com/anything", true},
	} {
		if got := test.provider.Client().Issues(test.issuer); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestClientScopes: what a provider refuses is not asked for, of it nor of its clients.
func TestClientScopes(t *testing.T) {
	for provider, want := range map[Provider]string{
		Keycloak: "openid profile email offline_access", Okta: "openid profile email offline_access", Entra: "openid profile email offline_access",
		Google: "openid email", Auth0: "openid profile email offline_access", "": "openid offline_access",
	} {
		if got := strings.Join(provider.Client().scopes(), " "); got != want {
			t.Errorf("%s: %s", provider, got)
		}
	}
}
