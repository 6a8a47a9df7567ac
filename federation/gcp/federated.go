package gcp

import (
	"context"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

const subjectTokenType = "urn:ietf:params:oauth:token-type:jwt" //nolint:gosec // a type, not a token

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
	call := &endpoint.Call{
		Cloud: cloud, Op: "sts:token", URL: e.c.Endpoints.TokenURL(), Setting: "gcp.stsEndpoint",
		Secrets: []federation.Secret{federation.Secret(token.Reveal())}, Reads: e.c.stsFailure(token.Claims),
	}
	source, err := externalaccount.NewTokenSource(context.WithValue(ctx, oauth2.HTTPClient, call.Client(e.c.HTTP)), externalaccount.Config{
		Audience:             e.c.Identity.Provider,
		SubjectTokenType:     subjectTokenType,
		TokenURL:             call.URL,
		Scopes:               e.scopes,
		QuotaProjectID:       e.c.Identity.QuotaProject,
		SubjectTokenSupplier: supplier{token},
	})
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	now := time.Now()
	out, err := source.Token()
	if err != nil || out.AccessToken == "" {
		return federation.Credential{}, call.Error(ctx, err)
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
