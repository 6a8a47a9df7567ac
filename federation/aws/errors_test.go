package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

func exchange(t *testing.T, a ft.Answer) error {
	t.Helper()
	c := &aws.Client{
		Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders", Region: "eu-central-1"},
		Token:    ft.Token{}, Endpoint: ft.Serve(t, a),
	}
	_, err := c.Credentials().Exchange(t.Context())
	return err
}

func xmlError(code, message string) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, code, message)
}

// TestErrors: every row of STS's table.
func TestErrors(t *testing.T) {
	both := []string{ft.Subject, ft.Audience}
	for code, test := range map[string]struct {
		status int
		kind   federation.Kind
		hint   []string
	}{
		"ExpiredTokenException":   {400, federation.KindTokenExpired, append([]string{"clock"}, both...)},
		"InvalidIdentityToken":    {400, federation.KindIssuerUntrusted, append([]string{"IAM OIDC provider", ft.Issuer}, both...)},
		"IDPCommunicationError":   {400, federation.KindUnavailable, nil},
		"IDPRejectedClaim":        {403, federation.KindSubjectMismatch, append([]string{"issuer.example.com:sub"}, both...)},
		"AccessDenied":            {403, federation.KindDenied, append([]string{"issuer.example.com:sub", "trust policy"}, both...)},
		"MalformedPolicyDocument": {400, federation.KindConfig, []string{"shop/orders"}},
		"PackedPolicyTooLarge":    {400, federation.KindConfig, nil},
		"ValidationError":         {400, federation.KindConfig, nil},
		"RegionDisabledException": {403, federation.KindConfig, nil},
		"Throttling":              {400, federation.KindThrottled, nil},
		"ThrottlingException":     {429, federation.KindThrottled, nil},
		"RequestLimitExceeded":    {503, federation.KindThrottled, nil},
		"AccessDeniedException":   {403, federation.KindDenied, []string{"trust policy does not allow"}},
		"OptInRequired":           {403, federation.KindDenied, []string{"not a trust policy's refusal", "OptInRequired"}},
		"ExpiredToken":            {400, federation.KindTokenExpired, []string{"it expires at 20"}},
		"InternalFailure":         {400, federation.KindUnavailable, nil},
		"SomethingNew":            {403, federation.KindDenied, nil},
		"SomethingNewer":          {500, federation.KindUnavailable, nil},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			err := exchange(t, ft.Answer{Status: test.status, Header: map[string]string{"Content-Type": "text/xml", "Retry-After": "7"}, Body: xmlError(code, "the cloud's own words")})
			ft.Check(t, err, ft.Want{Kind: test.kind, Code: code, Message: "the cloud's own words", Hint: test.hint, RetryAfter: 7 * time.Second})
		})
	}
}

func TestAudienceIsToldApart(t *testing.T) {
	err := exchange(t, ft.Answer{Status: 400, Body: xmlError("InvalidIdentityToken", "Incorrect token audience")})
	ft.Check(t, err, ft.Want{Kind: federation.KindAudienceMismatch, Code: "InvalidIdentityToken", Message: "Incorrect token audience", Hint: []string{"client IDs", ft.Audience}})
}

func TestCommon(t *testing.T) {
	ft.Cloud{Exchange: exchange, Sends: ft.Token{}.Raw(), Says: func(text string) string {
		return xmlError("ValidationError", strings.ReplaceAll(text, "\x1b", "&#x85;"))
	}}.Test(t)
}

// TestChainedEcho: STS repeats the request that it could not verify, with the session
// token in it; nor does a server's echo show the external ID.
func TestChainedEcho(t *testing.T) {
	const session, external = "FwoGZXIvYXdzEBYaD/session+token/of+some==length+and/more=", "external-id-of-a-partner"
	for name, echo := range ft.Echoes(session) {
		c := &aws.Client{
			Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders", Chain: []string{"arn:aws:iam::111122223333:role/partner"}, ExternalID: external},
			Token:    ft.Token{}, Via: from{session},
			Endpoint: ft.Serve(t, ft.Answer{Status: 403, Body: xmlError("SignatureDoesNotMatch", "The canonical string should have been x-amz-security-token:"+url.QueryEscape(echo)+"&amp;"+echo+" "+external)}),
		}
		_, err := c.Credentials().Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindDenied, Code: "SignatureDoesNotMatch", Message: "canonical string", Hint: []string{"not a trust policy's refusal"}})
		if ft.Shows(err.Error(), session) || strings.Contains(err.Error(), external) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type from struct{ session federation.Secret }

func (f from) Get(context.Context, federation.Exchanger) (federation.Credential, error) {
	return federation.Credential{AccessKeyID: "ASIAFROM", SecretAccessKey: "a secret key of forty characters or so", Token: f.session, Principal: "arn:aws:sts::111122223333:assumed-role/orders/x"}, nil
}

func TestNoReadableAnswer(t *testing.T) {
	for name, a := range map[string]ft.Answer{
		"a proxy's page": {Status: 502, Body: "<html>bad gateway</html>"},
		"no code":        {Status: 200, Body: "<ErrorResponse><Error><Message>own words</Message></Error></ErrorResponse>"},
		"garbage":        {Status: 200, Body: "}{"},
		"no credentials": {Status: 200, Body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult/></AssumeRoleWithWebIdentityResponse>`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := exchange(t, a); federation.KindOf(err) != federation.KindUnavailable {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestIncompleteCredentials: what SDKs could not use is no credential.
func TestIncompleteCredentials(t *testing.T) {
	whole := []string{"<AccessKeyId>ASIA</AccessKeyId>", "<SecretAccessKey>key</SecretAccessKey>", "<SessionToken>session</SessionToken>", "<Expiration>2030-01-01T00:00:00Z</Expiration>"}
	answer := func(parts []string) ft.Answer {
		return ft.Answer{Status: 200, Body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>` + strings.Join(parts, "") + `</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`}
	}
	if err := exchange(t, answer(whole)); err != nil {
		t.Fatal(err)
	}
	for n, part := range whole {
		parts := append(append([]string{}, whole[:n]...), whole[n+1:]...)
		if err := exchange(t, answer(parts)); federation.KindOf(err) != federation.KindUnavailable {
			t.Errorf("without %s: %v", part, err)
		}
	}
}

// TestChainHints: of a chain the hint names the role that assumes the next.
func TestChainHints(t *testing.T) {
	for code, test := range map[string]struct {
		kind federation.Kind
		hint string
	}{
		"AccessDenied":          {federation.KindDenied, "arn:aws:sts::111122223333:assumed-role/orders/x may not assume arn:aws:iam::111122223333:role/partner"},
		"ExpiredTokenException": {federation.KindTokenExpired, "the credentials of arn:aws:sts::111122223333:assumed-role/orders/x"},
	} {
		c := &aws.Client{
			Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders", Chain: []string{"arn:aws:iam::111122223333:role/partner"}},
			Token:    ft.Token{}, Via: from{"session"}, Endpoint: ft.Serve(t, ft.Answer{Status: 403, Body: xmlError(code, "no")}),
		}
		_, err := c.Credentials().Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: test.kind, Code: code, Message: "no", Hint: []string{test.hint}})
	}
}

// TestRequestID: what AWS's support asks for, from the body or else the header.
func TestRequestID(t *testing.T) {
	for want, body := range map[string]string{"r-1": xmlError("AccessDenied", "no"), "r-2": "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"} {
		err := exchange(t, ft.Answer{Status: 403, Header: map[string]string{"X-Amzn-RequestId": "r-2"}, Body: body})
		if e, ok := errors.AsType[*federation.Error](err); !ok || e.RequestID != want || e.Op != "sts:AssumeRoleWithWebIdentity" || e.Cloud != "aws" {
			t.Errorf("%s: %+v", want, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	c := &aws.Client{Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders"}, Token: ft.Token{}, Endpoint: "http://127.0.0.1:1"}
	_, err := c.Credentials().Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindUnavailable, Message: "connection refused", Hint: []string{"http://127.0.0.1:1", "network policy"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Credentials().Exchange(ctx); federation.KindOf(err) != federation.KindCanceled {
		t.Errorf("canceled: %v", err)
	}
	c.Endpoint = "http://sts.example.com"
	if _, err := c.Credentials().Exchange(t.Context()); federation.KindOf(err) != federation.KindConfig {
		t.Errorf("a token in the clear: %v", err)
	}
}

func TestKeyNamesEveryInput(t *testing.T) {
	seen := map[string]int{}
	for i, id := range []aws.Identity{
		{RoleARN: "a"}, {RoleARN: "b"}, {RoleARN: "a", Region: "r"}, {RoleARN: "a", Audience: "x"}, {RoleARN: "a", SessionName: "s"},
		{RoleARN: "a", SessionDuration: 900}, {RoleARN: "a", SessionPolicy: "{}"}, {RoleARN: "a", Chain: []string{"c"}},
		{RoleARN: "a", Chain: []string{"c"}, ExternalID: "e"}, {RoleARN: "a", Chain: []string{"c"}, SessionTags: true},
		{RoleARN: "a", Chain: []string{"c"}, SessionTags: true, ClusterARN: "x"}, {RoleARN: "a", Chain: []string{"c"}, SessionTags: true, ClusterName: "x"},
		{RoleARN: "a", Chain: []string{"c"}, SessionDuration: 900}, {RoleARN: "a", Chain: []string{"c", "d"}},
	} {
		key := (&aws.Client{Identity: id}).Credentials().Key()
		if other, ok := seen[key]; ok {
			t.Errorf("identities %d and %d have the same key", other, i)
		}
		seen[key] = i
	}
}
