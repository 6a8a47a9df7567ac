package gcp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"

	"github.com/podpass-io/podpass/federation"
)

const (
	cloud = "gcp"

	// CloudPlatform is the scope that covers all others.
	CloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

	subjectTokenType = "urn:ietf:params:oauth:token-type:jwt" //nolint:gosec // a type, not a token
	opSTS            = "sts:token"
)

// Client makes the exchanges of one Google Cloud identity. It is safe for
// concurrent use once its fields are set.
type Client struct {
	Identity Identity
	Token    federation.TokenSource
	// Endpoints of Google's APIs; zero: the public ones.
	Endpoints Endpoints
	// HTTP talks to Google; see federation.HTTPClient.
	HTTP *http.Client
	// Via gives the federated token that impersonation starts from; nil: without cache.
	Via federation.Getter
}

// AccessToken is the exchange for an access token with the scopes, in any order;
// without any, CloudPlatform. With a service account it is the service account's,
// else the federated principal's own (direct resource access).
func (c *Client) AccessToken(scopes []string) federation.Exchanger {
	scopes = normalize(scopes)
	if c.Identity.ServiceAccount == "" {
		return &federated{c, scopes}
	}
	return &impersonated{c, scopes}
}

// IDToken is the exchange for an ID token of the service account for audience.
// Without a service account it fails with [ErrNoIDToken]: a federated principal
// cannot have one.
func (c *Client) IDToken(audience string) federation.Exchanger { return &idToken{c, audience} }

// Federated is the exchange for the federated token from which the others start.
// Its one scope covers theirs, so one token serves them all: STS's quota is a
// tenth of IAM's.
func (c *Client) Federated() federation.Exchanger { return &federated{c, []string{CloudPlatform}} }

func normalize(scopes []string) []string {
	if len(scopes) == 0 {
		return []string{CloudPlatform}
	}
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

func (c *Client) viaFederated(ctx context.Context) (federation.Credential, error) {
	via := c.Via
	if via == nil {
		via = federation.Direct{}
	}
	return via.Get(ctx, c.Federated())
}

// federated is the OAuth 2.0 token exchange (RFC 8693) at Google's STS.
// https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
type federated struct {
	c      *Client
	scopes []string
}

func (e *federated) Key() string {
	i := e.c.Identity
	return strings.Join([]string{"gcp/federated", e.c.Endpoints.TokenURL(), i.Provider, i.Audience, i.QuotaProject, strings.Join(e.scopes, ",")}, "/")
}

func (e *federated) Exchange(ctx context.Context) (federation.Credential, error) {
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	if err := federation.CheckEndpoint(e.c.Endpoints.TokenURL()); err != nil {
		return federation.Credential{}, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: opSTS, Err: err, Hint: "set the chart value gcp.stsEndpoint to an https URL"}
	}
	client, recorder := federation.Record(e.c.HTTP)
	source, err := externalaccount.NewTokenSource(context.WithValue(ctx, oauth2.HTTPClient, client), externalaccount.Config{
		Audience:             e.c.Identity.Provider,
		SubjectTokenType:     subjectTokenType,
		TokenURL:             e.c.Endpoints.TokenURL(),
		Scopes:               e.scopes,
		QuotaProjectID:       e.c.Identity.QuotaProject,
		SubjectTokenSupplier: supplier{token},
	})
	if err != nil {
		return federation.Credential{}, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: opSTS, Err: err}
	}
	now := time.Now()
	out, err := source.Token()
	if err != nil {
		return federation.Credential{}, explain(ctx, err, recorder.Last(), failure{Op: opSTS, Identity: e.c.Identity, Endpoint: e.c.Endpoints.TokenURL(), Claims: token.Claims})
	}
	return federation.Credential{
		Token:     federation.Secret(out.AccessToken),
		Principal: Principal(e.c.Identity.Provider, token.Subject),
		Expiry:    federation.ExpiresIn(now, out.Expiry.Sub(now).Round(time.Second)),
	}, nil
}

// supplier hands the library the token that was read for this exchange.
type supplier struct{ token federation.SubjectToken }

func (s supplier) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return s.token.Reveal(), nil
}

// Principal is the IAM principal of a token's subject: what IAM policies name.
// Those of GKE clusters and fleets are named after their pool, since the provider
// does not tell the project's number.
// https://cloud.google.com/iam/docs/principal-identifiers
func Principal(provider, subject string) string {
	if pool, _, ok := IdentityNamespace(provider); ok {
		namespace, account, _ := strings.Cut(strings.TrimPrefix(subject, "system:serviceaccount:"), ":")
		return "serviceAccount:" + pool + "[" + namespace + "/" + account + "]"
	}
	pool, _, ok := strings.Cut(strings.TrimPrefix(provider, "//"), "/providers/")
	if !ok {
		return subject
	}
	return "principal://" + pool + "/subject/" + subject
}

// ErrNoIDToken is why there is no ID token under direct resource access: the
// metadata server must answer as if the path did not exist.
var ErrNoIDToken = errors.New("a federated principal has no ID token: annotate the ServiceAccount with a Google service account to impersonate")
