package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/podpass-io/podpass/federation"
)

const (
	cloud        = "aws"
	opWeb        = "sts:AssumeRoleWithWebIdentity"
	opAssumeRole = "sts:AssumeRole"
)

// Client makes the exchanges of one AWS identity. It is safe for concurrent use
// once its fields are set.
type Client struct {
	Identity Identity
	Token    federation.TokenSource
	// Endpoint is the URL of STS; "": the regional one of AWS.
	Endpoint string
	// HTTP talks to STS; see federation.HTTPClient.
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

func (c *Client) endpoint() string { return cmp.Or(c.Endpoint, c.Identity.endpoint()) }

// sts is a client for one exchange. It does not retry: the broker's one policy does.
func (c *Client) sts(credentials awssdk.CredentialsProvider) (*sts.Client, *federation.Recorder, error) {
	endpoint := c.endpoint()
	if err := federation.CheckEndpoint(endpoint); err != nil {
		return nil, nil, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Err: err, Hint: "set the chart value aws.stsEndpoints to an https URL"}
	}
	client, recorder := federation.Record(c.HTTP)
	return sts.New(sts.Options{
		Region:       c.Identity.region(),
		BaseEndpoint: &endpoint,
		HTTPClient:   client,
		Credentials:  credentials,
		Retryer:      awssdk.NopRetryer{},
	}), recorder, nil
}

// webIdentity is AssumeRoleWithWebIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
type webIdentity struct{ c *Client }

func (e *webIdentity) Key() string {
	i := e.c.Identity
	key := fmt.Sprintf("aws/%s/%s/%s/%s/%s", e.c.Endpoint, i.Region, i.Audience, i.RoleARN, i.SessionName)
	if len(i.Chain) == 0 {
		key += fmt.Sprintf("/%d/%q", i.SessionDuration, i.SessionPolicy)
	}
	return key
}

func (e *webIdentity) Exchange(ctx context.Context) (federation.Credential, error) {
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	client, recorder, err := e.c.sts(awssdk.AnonymousCredentials{})
	if err != nil {
		return federation.Credential{}, err
	}
	i := e.c.Identity
	raw := token.Reveal()
	session := sessionName(i, token.Claims)
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: &i.RoleARN, RoleSessionName: &session, WebIdentityToken: &raw}
	if len(i.Chain) == 0 {
		in.DurationSeconds, in.Policy = optional(i.SessionDuration), optionalString(i.SessionPolicy)
	}
	out, err := client.AssumeRoleWithWebIdentity(ctx, in)
	if err != nil {
		return federation.Credential{}, explain(ctx, err, recorder.Last(), failure{Op: opWeb, Role: i.RoleARN, Endpoint: e.c.endpoint(), Claims: token.Claims})
	}
	return credential(opWeb, out.Credentials, out.AssumedRoleUser, i.RoleARN)
}

// assumeRole is AssumeRole, signed with the credentials of the role before.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
type assumeRole struct {
	c *Client
	n int // 1..len(Chain)
}

func (e *assumeRole) Key() string {
	i := e.c.Identity
	key := fmt.Sprintf("%s>%s/%q", e.c.role(e.n-1).Key(), i.Chain[e.n-1], i.ExternalID)
	if i.SessionTags {
		key += fmt.Sprintf("/tags:%q:%q", i.ClusterARN, i.ClusterName)
	}
	if e.n == len(i.Chain) {
		key += fmt.Sprintf("/%d/%q", i.SessionDuration, i.SessionPolicy)
	}
	return key
}

func (e *assumeRole) Exchange(ctx context.Context) (federation.Credential, error) {
	via := e.c.Via
	if via == nil {
		via = federation.Direct{}
	}
	from, err := via.Get(ctx, e.c.role(e.n-1))
	if err != nil {
		return federation.Credential{}, err
	}
	// Names the session and the tags; AssumeRole itself sends no token.
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	client, recorder, err := e.c.sts(awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{AccessKeyID: from.AccessKeyID, SecretAccessKey: from.SecretAccessKey.Reveal(), SessionToken: from.Token.Reveal()}, nil
	}))
	if err != nil {
		return federation.Credential{}, err
	}
	i := e.c.Identity
	role, session := i.Chain[e.n-1], sessionName(i, token.Claims)
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &session, ExternalId: optionalString(i.ExternalID)}
	if i.SessionTags && e.n == 1 { // the next ones inherit them, and STS refuses them twice
		in.Tags, in.TransitiveTagKeys = sessionTags(i, token.Claims)
	}
	if e.n == len(i.Chain) {
		in.DurationSeconds, in.Policy = optional(i.SessionDuration), optionalString(i.SessionPolicy)
	}
	out, err := client.AssumeRole(ctx, in)
	if err != nil {
		return federation.Credential{}, explain(ctx, err, recorder.Last(), failure{Op: opAssumeRole, Role: role, From: from.Principal, Endpoint: e.c.endpoint(), Claims: token.Claims})
	}
	return credential(opAssumeRole, out.Credentials, out.AssumedRoleUser, role)
}

func credential(op string, c *types.Credentials, user *types.AssumedRoleUser, role string) (federation.Credential, error) {
	if c == nil || c.Expiration == nil || awssdk.ToString(c.AccessKeyId) == "" {
		return federation.Credential{}, &federation.Error{Kind: federation.KindUnavailable, Cloud: cloud, Op: op, Err: errors.New("STS answered without credentials")}
	}
	principal := role
	if user != nil && awssdk.ToString(user.Arn) != "" {
		principal = *user.Arn
	}
	return federation.Credential{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: federation.Secret(awssdk.ToString(c.SecretAccessKey)),
		Token:           federation.Secret(awssdk.ToString(c.SessionToken)),
		Principal:       principal,
		Expiry:          federation.ExpiresAt(time.Now(), *c.Expiration),
	}, nil
}

func optional(n int) *int32 {
	if n == 0 {
		return nil
	}
	v := int32(n) // validated: at most 43200
	return &v
}

func optionalString(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
