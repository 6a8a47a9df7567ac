package aws

import (
	"cmp"
	"net/http"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

const cloud = "aws"

// Client makes the exchanges of one AWS identity. It is safe for concurrent use
// once its fields are set.
type Client struct {
	Identity Identity
	Token    federation.TokenSource
	// Endpoint is the URL of STS; "": the regional one of AWS.
	Endpoint string
	// Endpoints choose among AWS's own, where Endpoint is empty.
	Endpoints Endpoints
	// HTTP talks to STS; see endpoint.NewClient.
	HTTP *http.Client
	// Via gives the credentials that a chained role starts from; nil: without cache.
	Via federation.Getter
}

// Credentials is the exchange for the identity's credentials: those of the last
// role of the chain.
func (c *Client) Credentials() federation.Exchanger { return c.role(len(c.Identity.Chain)) }

// role is the exchange for the nth role: 0 by web identity, the others from the
// one before.
func (c *Client) role(n int) federation.Exchanger {
	if n == 0 {
		return &webIdentity{c}
	}
	return &assumeRole{c, n}
}

func (c *Client) endpoint() string {
	return cmp.Or(c.Endpoint, c.Endpoints.sts(c.Identity.region()))
}

// sts is STS for one exchange, which call reads the errors of. It does not retry: the
// broker's one policy does.
func (c *Client) sts(credentials awssdk.CredentialsProvider, op string, f failure, secrets ...federation.Secret) (*sts.Client, *endpoint.Call) {
	call := &endpoint.Call{
		Cloud: cloud, Op: op, URL: c.endpoint(), Setting: "aws.stsEndpoints", Reads: f,
		Secrets: append(secrets, federation.Secret(c.Identity.ExternalID)),
	}
	return sts.New(sts.Options{
		Region:       signingRegion(call.URL, c.Identity.region()),
		BaseEndpoint: &call.URL,
		HTTPClient:   call.Client(c.HTTP),
		Credentials:  credentials,
		Retryer:      awssdk.NopRetryer{},
	}), call
}
