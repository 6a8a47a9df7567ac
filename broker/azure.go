package broker

import (
	"cmp"
	"net/http"

	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
)

func (b *Broker) addAzure(r *router, client *http.Client) {
	id := b.config.identities.Azure
	if id == nil {
		return
	}
	c := &azure.Client{Identity: *id, Token: b.token("azure"), AuthorityHost: b.config.AzureAuthorityHost, HTTP: client}
	// What most Azure SDK clients ask for first, unless the administrator knows better:
	// with it the broker finds out whether trust works.
	probe := cmp.Or(b.config.AzureProbeResource, azure.ManagementResource(b.config.AzureAuthorityHost))
	r.azure = &azureapi.Handler{
		ClientID: id.ClientID, Others: map[string]azureapi.Source{},
		Secret: federation.Secret(b.config.Secret), Log: b.log,
	}
	if id.ClientID == "" {
		r.azure.Any = func(clientID string) (azureapi.Source, bool) {
			named, ok := c.For(clientID)
			if !ok {
				return nil, false
			}
			return named.Source(b.cache), true
		}
	} else {
		b.cache.Pin("azure", c.AccessToken(probe, ""))
		r.azure.AccessToken = c.Source(b.cache)
	}
	for _, a := range id.Others {
		if other, ok := c.For(a.ClientID); ok {
			b.cache.Pin("azure/"+a.ClientID, other.AccessToken(probe, ""))
			r.azure.Others[a.ClientID] = other.Source(b.cache)
		}
	}
}
