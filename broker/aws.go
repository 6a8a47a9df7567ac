package broker

import (
	"context"
	"net/http"

	"github.com/podpass-io/podpass/broker/awsapi"
	"github.com/podpass-io/podpass/broker/imdsapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
)

func (b *Broker) addAWS(r *router, client *http.Client) {
	id := b.config.identities.AWS
	if id == nil {
		return
	}
	c := &aws.Client{Identity: *id, Token: b.token("aws"), Endpoint: b.config.AWSSTSEndpoint, Endpoints: b.config.aws, HTTP: client, Via: b.cache}
	role := id.RoleARN
	if n := len(id.Chain); n > 0 {
		role = id.Chain[n-1]
	}
	e := federation.Keyed(c.Credentials())
	b.cache.Pin("aws", e)
	r.aws = &awsapi.Handler{
		Credentials: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
		RoleARN:     role, Secret: federation.Secret(b.config.Secret), Log: b.log,
	}
	for _, o := range id.Others {
		other := &aws.Client{Identity: id.Other(o), Token: c.Token, Endpoint: c.Endpoint, Endpoints: c.Endpoints, HTTP: client, Via: b.cache}
		e := federation.Keyed(other.Credentials())
		b.cache.Pin("aws/"+o.Name, e)
		r.named[awsapi.Path+"/"+o.Name] = &awsapi.Handler{
			Credentials: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
			RoleARN:     o.RoleARN, Secret: r.aws.Secret, Log: b.log,
		}
	}
	if b.config.imds {
		r.imds = &imdsapi.Handler{Credentials: r.aws.Credentials, RoleARN: role, Region: id.Region, Secret: r.aws.Secret, Log: b.log}
	}
}
