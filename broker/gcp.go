package broker

import (
	"context"
	"net/http"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

func (b *Broker) addGCP(r *router, client *http.Client) {
	id := b.config.identities.GCP
	if id == nil {
		return
	}
	c := &gcp.Client{
		Identity: *id, Token: b.token("gcp"), HTTP: client, Via: b.cache,
		Endpoints: gcp.Endpoints{Universe: b.config.GCPUniverseDomain, STS: b.config.GCPSTSEndpoint, IAMCredentials: b.config.GCPIAMCredentialsEndpoint},
	}
	usual := federation.Keyed(c.AccessToken(nil))
	b.cache.Pin("gcp", usual)
	r.gcp = &gcpapi.Handler{
		AccessToken: func(ctx context.Context, scopes []string) (federation.Credential, error) {
			if len(scopes) == 0 {
				return b.cache.Get(ctx, usual)
			}
			return b.cache.Get(ctx, c.AccessToken(scopes))
		},
		IDToken: func(ctx context.Context, audience string) (federation.Credential, error) {
			return b.cache.Get(ctx, c.IDToken(audience))
		},
		Principal: func(ctx context.Context) string {
			t, err := c.Token.SubjectToken(ctx)
			if err != nil {
				return id.Provider // the token request will tell why
			}
			return gcp.Principal(id.Provider, t.Subject)
		},
		Identity: *id, Universe: b.config.GCPUniverseDomain, Log: b.log,
		Instance: b.config.instance, Done: b.stopping,
	}
}
