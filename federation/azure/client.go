package azure

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

const cloud = "azure"

// Client makes the exchanges of one Entra identity. It is safe for concurrent use
// once its fields are set.
type Client struct {
	Identity Identity
	Token    federation.TokenSource
	// AuthorityHost is the URL of Entra; "": DefaultAuthorityHost.
	AuthorityHost string
	// HTTP talks to Entra; see endpoint.NewClient.
	HTTP *http.Client
}

// AccessToken is the exchange for an access token for resource ("https://vault.
// azure.net"). claims is a claims challenge to pass on; usually empty.
func (c *Client) AccessToken(resource, claims string) federation.Exchanger {
	return &accessToken{c, resource, claims}
}

// For is the Client of one of the identity's applications, by its client ID in any
// letter case; false: the identity has no such application. An identity without a
// client ID of its own has all of its tenant.
func (c *Client) For(clientID string) (*Client, bool) {
	if clientID != "" && strings.EqualFold(clientID, c.Identity.ClientID) {
		return c, true
	}
	for _, a := range c.Identity.Others {
		if strings.EqualFold(clientID, a.ClientID) {
			other := *c
			other.Identity.ClientID, other.Identity.TenantID, other.Identity.Others = a.ClientID, a.TenantID, nil
			return &other, true
		}
	}
	if c.Identity.ClientID == "" && ValidClientID(strings.ToLower(clientID)) {
		named := *c
		named.Identity.ClientID, named.Identity.Others = strings.ToLower(clientID), nil
		return &named, true
	}
	return nil, false
}

// Source gives access tokens from a Getter, as protocol handlers ask for them.
func (c *Client) Source(from federation.Getter) func(ctx context.Context, resource, claims string) (federation.Credential, error) {
	return func(ctx context.Context, resource, claims string) (federation.Credential, error) {
		return from.Get(ctx, c.AccessToken(resource, claims))
	}
}

func (c *Client) authority() string {
	return strings.TrimSuffix(cmp.Or(c.AuthorityHost, DefaultAuthorityHost), "/") + "/" + c.Identity.TenantID
}

// accessToken is the client credentials grant with a federated assertion.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
type accessToken struct {
	c                *Client
	resource, claims string
}

func (e *accessToken) Key() string {
	i := e.c.Identity
	return "azure/" + e.c.authority() + "/" + i.ClientID + "/" + i.Audience + "/" + strconv.Quote(e.resource) + "/" + strconv.Quote(e.claims)
}

// scope appends verbatim: Entra wants the doubled slash of "https://x//.default"
// for a resource that is registered as "https://x/".
func (e *accessToken) scope() string {
	if strings.HasSuffix(e.resource, "/.default") {
		return e.resource
	}
	return e.resource + "/.default"
}

func (e *accessToken) Exchange(ctx context.Context) (federation.Credential, error) {
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	authority := e.c.authority()
	call := &endpoint.Call{
		Cloud: cloud, Op: "entra:token", URL: authority, Setting: "azure.authorityHost",
		Secrets: []federation.Secret{federation.Secret(token.Reveal())}, Reads: failure{e.c.Identity, authority, e.resource, token.Claims},
	}
	// A client for each exchange: MSAL's own cache would answer instead of Entra and
	// outlive what the broker's cache decided. It costs one more request, for the
	// tenant's metadata, once an hour.
	msal, err := confidential.New(authority, e.c.Identity.ClientID,
		confidential.NewCredFromAssertionCallback(func(context.Context, confidential.AssertionRequestOptions) (string, error) {
			return token.Reveal(), nil
		}),
		confidential.WithHTTPClient(call.Client(e.c.HTTP)),
		// The authority is the administrator's; asking Microsoft's public cloud whether
		// it exists would fail in private and sovereign ones.
		confidential.WithInstanceDiscovery(false))
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	var options []confidential.AcquireByCredentialOption
	if e.claims != "" {
		options = append(options, confidential.WithClaims(e.claims))
	}
	now := time.Now()
	out, err := msal.AcquireTokenByCredential(ctx, []string{e.scope()}, options...)
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	credential := federation.Credential{
		Token:     federation.Secret(out.AccessToken),
		Principal: e.c.Identity.ClientID,
		Expiry:    federation.ExpiresAt(now, out.ExpiresOn),
	}
	if on := out.Metadata.RefreshOn; !on.IsZero() {
		credential.RefreshIn = on.Sub(now)
	}
	return credential, nil
}
