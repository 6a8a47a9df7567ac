package awssts

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	user     = "arn:aws:iam::111122223333:user/deploy"
	byUser   = "arn:aws:iam::111122223333:role/orders"
	byPolicy = "arn:aws:iam::111122223333:role/reports"
	notByIt  = "arn:aws:iam::111122223333:role/other"
)

// TestUsers: what AWS's own client gets for a user's access key, and how often the key is
// then said to have been used.
func TestUsers(t *testing.T) {
	active := trust.AWSUser{ARN: user, AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text()}
	inactive := trust.AWSUser{ARN: user, AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), Inactive: true}
	s := &Server{Trust: trust.AWS{
		Users: []trust.AWSUser{active, inactive},
		Roles: []trust.AWSRole{
			{ARN: byUser, AssumedBy: []string{user}, MaxSessionDuration: 7200}, {ARN: notByIt},
			{ARN: byPolicy, Policy: []byte(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + user + `"}}}]}`)},
		},
	}}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	client := func(id, secret, token string) *sts.Client {
		return sts.New(sts.Options{
			Region: "eu-central-1", BaseEndpoint: awssdk.String(server.URL), HTTPClient: server.Client(), RetryMaxAttempts: 1,
			Credentials: awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
				return awssdk.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
			}),
		})
	}
	assume := func(c *sts.Client, role string, seconds int32) (string, error) {
		out, err := c.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: awssdk.String("orders"), DurationSeconds: &seconds})
		if err != nil {
			return "", err
		}
		return awssdk.ToString(out.AssumedRoleUser.Arn), nil
	}
	who := func(c *sts.Client) (string, error) {
		out, err := c.GetCallerIdentity(t.Context(), nil)
		if err != nil {
			return "", err
		}
		return awssdk.ToString(out.Arn) + " " + awssdk.ToString(out.Account), nil
	}
	sound := client(active.AccessKeyID, active.SecretAccessKey, "")
	for name, test := range map[string]struct {
		call func() (string, error)
		want string // what it gets, or the error's code
	}{
		"who it is":               {func() (string, error) { return who(sound) }, user + " 111122223333"},
		"a role, for two hours":   {func() (string, error) { return assume(sound, byUser, 7200) }, "arn:aws:sts::111122223333:assumed-role/orders/orders"},
		"a role, by its policy":   {func() (string, error) { return assume(sound, byPolicy, 900) }, "arn:aws:sts::111122223333:assumed-role/reports/orders"},
		"a role of others":        {func() (string, error) { return assume(sound, notByIt, 900) }, "AccessDenied"},
		"another secret":          {func() (string, error) { return who(client(active.AccessKeyID, "x"+active.SecretAccessKey, "")) }, "SignatureDoesNotMatch"},
		"a session token with it": {func() (string, error) { return who(client(active.AccessKeyID, active.SecretAccessKey, "x")) }, "InvalidClientTokenId"},
		"an unknown key":          {func() (string, error) { return who(client("AKIA"+rand.Text()[:16], active.SecretAccessKey, "")) }, "InvalidClientTokenId"},
		"an inactive key": {func() (string, error) {
			return who(client(inactive.AccessKeyID, inactive.SecretAccessKey, ""))
		}, "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.call()
			if api, ok := errors.AsType[smithy.APIError](err); ok {
				got = api.ErrorCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if d := cmp.Diff(map[string]int{active.AccessKeyID: 4}, s.Uses.Counts()); d != "" {
		t.Error("uses of keys:", d)
	}
}
