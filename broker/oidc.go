package broker

import (
	"context"
	"net/http"

	"github.com/podpass-io/podpass/broker/tokenapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/oidc"
)

func (b *Broker) addOIDC(r *router, client *http.Client) {
	if b.config.identities.OIDC == nil {
		return
	}
	r.oidc = true
	for _, s := range b.config.identities.OIDC.Sources {
		c := &oidc.Client{Source: s, Token: b.token(s.TokenFile()), HTTP: client}
		e := federation.Keyed(c.AccessToken())
		b.cache.Pin("oidc/"+s.Name, e)
		r.named[tokenapi.Path+"/"+s.Name] = &tokenapi.Handler{
			AccessToken: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
			Secret:      federation.Secret(b.config.Secret), Log: b.log,
		}
	}
}
