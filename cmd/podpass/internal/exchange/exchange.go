// Package exchange makes the exchanges of the broker from outside of a pod: by the same
// clients, with the installation's settings.
package exchange

import (
	"net/http"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Clouds makes the clients of the clouds. It is safe for concurrent use.
type Clouds struct {
	Settings inject.Settings
	HTTP     *http.Client
	// Tokens gives the source of subject tokens for an audience.
	Tokens func(audience string) federation.TokenSource
}

// New gives the clouds of an installation, trusting its CA bundle.
func New(s inject.Settings, tokens func(string) federation.TokenSource) (*Clouds, error) {
	client, err := endpoint.NewClient([]byte(s.CABundle))
	if err != nil {
		return nil, err
	}
	return &Clouds{Settings: s, HTTP: client, Tokens: tokens}, nil
}

// AWS is the client of a role, or chain of roles.
func (c *Clouds) AWS(id aws.Identity) *aws.Client {
	return &aws.Client{Identity: id, Token: c.Tokens(id.Audience), Endpoint: c.Settings.AWS.STSEndpoint(id.RoleARN), Endpoints: c.Settings.AWS.Endpoints(), HTTP: c.HTTP}
}

// GCP is the client of a provider, and the service account behind it.
func (c *Clouds) GCP(id gcp.Identity) *gcp.Client {
	return &gcp.Client{Identity: id, Token: c.Tokens(id.Audience), Endpoints: c.Settings.GCP.Endpoints(), HTTP: c.HTTP}
}

// Azure is the client of an application or managed identity.
func (c *Clouds) Azure(id azure.Identity) *azure.Client {
	return &azure.Client{Identity: id, Token: c.Tokens(id.Audience), AuthorityHost: c.Settings.Azure.AuthorityHost, HTTP: c.HTTP}
}

// OIDC is the client of a token source.
func (c *Clouds) OIDC(s oidc.Source) *oidc.Client {
	return &oidc.Client{Source: s, Token: c.Tokens(s.Audience), HTTP: c.HTTP}
}

// Exchange is one that a pod of a ServiceAccount would make at its start.
type Exchange struct {
	// Cloud is aws, gcp, azure or oidc, and Name that of a token source.
	Cloud, Name string
	federation.Exchanger
}

// All are those of an answer: what the broker asks for to find out whether trust works.
func (c *Clouds) All(a serviceaccount.Answer) []Exchange {
	var list []Exchange
	if a.AWS != nil {
		list = append(list, Exchange{"aws", "", c.AWS(a.AWS.Identity).Credentials()})
	}
	if a.GCP != nil {
		list = append(list, Exchange{"gcp", "", c.GCP(a.GCP.Identity).AccessToken(nil)})
	}
	if a.Azure != nil {
		resource := c.Settings.Azure.ProbeResource
		if resource == "" {
			resource = azure.ManagementResource(c.Settings.Azure.AuthorityHost)
		}
		list = append(list, Exchange{"azure", "", c.Azure(a.Azure.Identity).AccessToken(resource, "")})
	}
	if a.OIDC != nil {
		for _, s := range a.OIDC.Sources {
			list = append(list, Exchange{"oidc", s.Name, c.OIDC(s).AccessToken()})
		}
	}
	return list
}
