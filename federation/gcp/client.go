package gcp

import (
	"errors"
	"net/http"
	"slices"

	"github.com/podpass-io/podpass/federation"
)

const (
	cloud = "gcp"

	// CloudPlatform is the scope that covers all others.
	CloudPlatform = "https://www.googleapis.com/auth/cloud-platform"
)

// Client makes the exchanges of one Google Cloud identity. It is safe for
// concurrent use once its fields are set.
type Client struct {
	Identity Identity
	Token    federation.TokenSource
	// Endpoints of Google's APIs; zero: the public ones.
	Endpoints Endpoints
	// HTTP talks to Google; see endpoint.NewClient.
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

// ErrNoIDToken is why there is no ID token under direct resource access: the
// metadata server must answer as if the path did not exist.
var ErrNoIDToken = errors.New("a federated principal has no ID token: annotate the ServiceAccount with a Google service account to impersonate")
