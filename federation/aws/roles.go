package aws

import (
	"cmp"
	"context"
	"fmt"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// webIdentity is AssumeRoleWithWebIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
type webIdentity struct{ c *Client }

func (e *webIdentity) Key() string {
	i := e.c.Identity
	key := fmt.Sprintf("aws/%s/%s/%s/%s/%s", e.c.endpoint(), i.Region, i.Audience, i.RoleARN, i.SessionName)
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
	i := e.c.Identity
	raw := token.Reveal()
	client, call := e.c.sts(awssdk.AnonymousCredentials{}, "sts:AssumeRoleWithWebIdentity", failure{Role: i.RoleARN, Claims: token.Claims}, federation.Secret(raw))
	session := sessionName(i, token.Claims)
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: &i.RoleARN, RoleSessionName: &session, WebIdentityToken: &raw}
	if len(i.Chain) == 0 {
		in.DurationSeconds, in.Policy = optional(i.SessionDuration), optionalString(i.SessionPolicy)
	}
	out, err := client.AssumeRoleWithWebIdentity(ctx, in)
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	return credential(ctx, call, out.Credentials, out.AssumedRoleUser, i.RoleARN, in.DurationSeconds)
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
	via := cmp.Or[federation.Getter](e.c.Via, federation.Direct{})
	from, err := via.Get(ctx, e.c.role(e.n-1))
	if err != nil {
		return federation.Credential{}, err
	}
	// Names the session and the tags; AssumeRole itself sends no token.
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	i := e.c.Identity
	role, session := i.Chain[e.n-1], sessionName(i, token.Claims)
	// STS's SignatureDoesNotMatch repeats the session token, in the request as it read it.
	client, call := e.c.sts(awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{AccessKeyID: from.AccessKeyID, SecretAccessKey: from.SecretAccessKey.Reveal(), SessionToken: from.Token.Reveal()}, nil
	}), "sts:AssumeRole", failure{Role: role, From: from.Principal, Claims: token.Claims}, from.SecretAccessKey, from.Token)
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &session, ExternalId: optionalString(i.ExternalID)}
	if i.SessionTags && e.n == 1 { // the next ones inherit them, and STS refuses them twice
		in.Tags, in.TransitiveTagKeys = sessionTags(i, token.Claims)
	}
	if e.n == len(i.Chain) {
		in.DurationSeconds, in.Policy = optional(i.SessionDuration), optionalString(i.SessionPolicy)
	}
	out, err := client.AssumeRole(ctx, in)
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	return credential(ctx, call, out.Credentials, out.AssumedRoleUser, role, in.DurationSeconds)
}

// defaultDuration is what STS takes for a session whose duration is not asked for, in
// seconds.
const defaultDuration = 3600

func credential(ctx context.Context, call *endpoint.Call, c *types.Credentials, user *types.AssumedRoleUser, role string, asked *int32) (federation.Credential, error) {
	if c == nil || c.Expiration == nil || awssdk.ToString(c.AccessKeyId) == "" || awssdk.ToString(c.SecretAccessKey) == "" || awssdk.ToString(c.SessionToken) == "" {
		return federation.Credential{}, call.Error(ctx, nil)
	}
	principal := role
	if user != nil && awssdk.ToString(user.Arn) != "" {
		principal = *user.Arn
	}
	return federation.Credential{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: federation.Secret(*c.SecretAccessKey),
		Token:           federation.Secret(*c.SessionToken),
		Principal:       principal,
		Expiry:          federation.ExpiresWithin(time.Now(), *c.Expiration, time.Duration(cmp.Or(awssdk.ToInt32(asked), defaultDuration))*time.Second),
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
