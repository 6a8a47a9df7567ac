package idp

import (
	"cmp"
	"regexp"
	"slices"
)

// Client is what a provider wants of the program that signs people in: what their
// kubeconfigs say.
type Client struct {
	// Scopes to ask for, besides openid.
	Scopes []string
	// Wanted are scopes that the provider gives, too, and that somebody has to want.
	Wanted []string
	// Parameters of the request that the browser makes, NAME=VALUE.
	Parameters []string
	// Secret: clients have one, although it keeps nobody out.
	Secret bool
	// DeviceClient: the device flow wants a client of its own.
	DeviceClient bool
	// Issuer is the one that all have; empty: each its own, of a form, as in the example.
	Issuer  string
	form    *regexp.Regexp
	Example string
}

// offline is the scope by which a session is renewed without a person:
// https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
const offline = "offline_access"

// Client is the provider's. That of a provider without a preset, the empty one, goes by the
// specification, by which there is no offline_access without consent: many providers do not
// insist on it, and some do.
//
// Groups are in ID tokens without a scope, as the rest of this package has the providers put
// them there: an authorization server of Okta's does not know the scope groups, and refuses it.
func (p Provider) Client() Client {
	c := Client{Scopes: []string{"profile", "email", offline}}
	switch p {
	case Keycloak:
		// A session that is online is renewed, too, as long as the realm's lasts. One that is
		// offline outlives sign-out.
		c.Scopes, c.Wanted = []string{"profile", "email"}, []string{offline}
		c.form, c.Example = regexp.MustCompile(`^https://.+/realms/[^/]+$`), "https://sso.example.com/realms/prod"
	case Okta:
		c.form, c.Example = regexp.MustCompile(`^https://[^/]+(/oauth2/[^/]+)?$`), "https://example.okta.com/oauth2/aus1"
	case Entra:
		c.form, c.Example = regexp.MustCompile(`^https://[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0$`), "https://login.microsoftonline.com/TENANT-ID/v2.0"
	case Google:
		// https://developers.google.com/identity/protocols/oauth2/native-app
		// https://developers.google.com/identity/openid-connect/openid-connect#refresh-tokens
		// kubelogin asks for access_type=offline by itself; a refresh token comes a second
		// time only with consent.
		c.Scopes, c.Parameters, c.Secret, c.DeviceClient = []string{"email"}, []string{consent}, true, true
		c.Issuer, c.form, c.Example = googleIssuer, regexp.MustCompile(`^`+regexp.QuoteMeta(googleIssuer)+`$`), googleIssuer
	case Auth0:
		// No audience, which is an API's: the ID token is what API servers take.
		c.form, c.Example = regexp.MustCompile(`^https://[^/]+/$`), "https://example.eu.auth0.com/"
	default:
		c.Scopes, c.Parameters, c.Example = []string{offline}, []string{consent}, "https://login.example.com"
	}
	return c
}

const (
	consent      = "prompt=consent"
	googleIssuer = "https://accounts.google.com"
)

// Issues reports whether an issuer has the form that the provider's have.
func (c Client) Issues(issuer string) bool { return c.form == nil || c.form.MatchString(issuer) }

// scopes are those that clients may ask for, in the order of OpenID Connect.
func (c Client) scopes() []string {
	return slices.Concat([]string{"openid"}, c.Scopes, c.Wanted)
}

// Providers are those that have a preset.
var Providers = []Provider{Keycloak, Okta, Entra, Google, Auth0}

// kubeconfig is the command that writes a person's for a cluster.
func (s Setup) kubeconfig(c Cluster) string {
	client := s.Provider.Client()
	command := "podpass kubeconfig " + c.Name + " --person --provider " + string(s.Provider)
	if client.Issuer == "" {
		command += " --issuer-url " + cmp.Or(s.issuer(), "ISSUER")
	}
	command += " --client-id " + cmp.Or(c.ClientID, "CLIENT_ID")
	if client.Secret {
		command += " --client-secret-file FILE"
	}
	return command + " --merge"
}
