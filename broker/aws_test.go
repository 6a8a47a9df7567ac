package broker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	partner = "arn:aws:iam::444455556666:role/partner"
	reports = "arn:aws:iam::444455556666:role/team/reports"
)

// chained is a world in which orders may assume partner, and partner reports.
func chained(change func(*trust.Config, *serviceaccount.Identities)) func(*trust.Config, *serviceaccount.Identities, *world) {
	return func(c *trust.Config, ids *serviceaccount.Identities, _ *world) {
		c.AWS.Roles = append(c.AWS.Roles,
			trust.AWSRole{ARN: partner, AssumedBy: []string{role}, ExternalID: "orders-42", TagSession: true},
			trust.AWSRole{ARN: reports, AssumedBy: []string{partner}, ExternalID: "orders-42", MaxSessionDuration: 7200})
		ids.AWS.Chain, ids.AWS.ExternalID = []string{partner}, "orders-42"
		if change != nil {
			change(c, ids)
		}
	}
}

// whoami asks the strict STS, by AWS's own SDK, whose the served credentials are.
func (w *world) whoami(t *testing.T) string {
	t.Helper()
	got := w.get(t, awsPath, awsHeader)
	var c struct{ AccessKeyId, SecretAccessKey, Token, RoleArn string } //nolint:revive // AWS's spelling
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s %v", got.status, got.body, err)
	}
	ca, err := os.ReadFile(w.clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	client, err := endpoint.NewClient(ca)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	out, err := sts.New(sts.Options{
		Region: "eu-central-1", BaseEndpoint: &w.clouds.AWS, HTTPClient: client, Retryer: awssdk.NopRetryer{},
		Credentials: awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
			return awssdk.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.Token}, nil
		}),
	}).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Arn
}

// TestAWSChain: further roles, in other accounts, by AssumeRole that is signed with
// the credentials of the role before.
func TestAWSChain(t *testing.T) {
	tags := map[string]string{
		"eks-cluster-arn": "arn:aws:eks:eu-central-1:111122223333:cluster/prod", "eks-cluster-name": "prod",
		"kubernetes-namespace": "shop", "kubernetes-service-account": "orders", "kubernetes-pod-name": "orders-1", "kubernetes-pod-uid": "5d2c1f1e-0000-4000-8000-000000000002",
	}
	for name, test := range map[string]struct {
		change func(*trust.Config, *serviceaccount.Identities)
		want   string
	}{
		"one further role": {nil, "arn:aws:sts::444455556666:assumed-role/partner/shop.orders.orders-1"},
		"two further roles": {func(_ *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.Chain = []string{partner, reports}
		}, "arn:aws:sts::444455556666:assumed-role/reports/shop.orders.orders-1"},
		"the tags of EKS Pod Identity": {func(c *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.SessionTags, ids.AWS.ClusterARN, ids.AWS.ClusterName = true, tags["eks-cluster-arn"], tags["eks-cluster-name"]
			c.AWS.Roles[1].RequestTags = tags
		}, "arn:aws:sts::444455556666:assumed-role/partner/shop.orders.orders-1"},
		"the same, which the next role inherits": {func(c *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.SessionTags, ids.AWS.ClusterARN, ids.AWS.ClusterName = true, tags["eks-cluster-arn"], tags["eks-cluster-name"]
			ids.AWS.Chain = []string{partner, reports}
			c.AWS.Roles[1].RequestTags = tags
			c.AWS.Roles[2].TagSession, c.AWS.Roles[2].PrincipalTags = true, tags
		}, "arn:aws:sts::444455556666:assumed-role/reports/shop.orders.orders-1"},
		"a session name of its own": {func(_ *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.SessionName = "orders@prod"
		}, "arn:aws:sts::444455556666:assumed-role/partner/orders@prod"},
		"a session policy, and a duration": {func(_ *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.SessionPolicy, ids.AWS.SessionDuration = `{"Version":"2012-10-17"}`, 1800
		}, "arn:aws:sts::444455556666:assumed-role/partner/shop.orders.orders-1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, chained(test.change))
			if got := w.whoami(t); got != test.want {
				t.Errorf("the credentials are those of %s, want %s", got, test.want)
			}
		})
	}
}

// TestAWSNamedRoles: further roles of the pod, each under its own path; one that is
// refused does not touch the others.
func TestAWSNamedRoles(t *testing.T) {
	const billing = "arn:aws:iam::111122223333:role/billing"
	w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, _ *world) {
		second := c.AWS.Roles[0]
		second.ARN = billing
		c.AWS.Roles = append(c.AWS.Roles, second)
		ids.AWS.Others = []aws.NamedRole{{Name: "billing", RoleARN: billing}, {Name: "forbidden", RoleARN: "arn:aws:iam::111122223333:role/admin"}}
	})
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		awsPath:                {http.StatusOK, `"RoleArn":"` + role + `"`},
		awsPath + "/billing":   {http.StatusOK, `"RoleArn":"` + billing + `"`},
		awsPath + "/forbidden": {http.StatusForbidden, "role/admin"},
		awsPath + "/unknown":   {http.StatusNotFound, `"Code":"NotFound"`},
	} {
		if got := w.get(t, path, awsHeader); got.status != want.status || !strings.Contains(got.body, want.says) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	// Of several credentials of a cloud the metric tells the worst.
	if shown := scrape(t, w); !strings.Contains(shown, `podpass_broker_credential_remaining_seconds{cloud="aws"} 0`+"\n") {
		t.Errorf("the role that is refused does not show: %s", shown)
	}
	if got := w.get(t, awsPath+"/billing", "Authorization: guess"); got.status != http.StatusUnauthorized {
		t.Errorf("with another secret: %d", got.status)
	}
}

// TestAWSChainRefused: the application reads which role was refused, to whom, and
// what has to match.
func TestAWSChainRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trust.Config, *serviceaccount.Identities)
		status int
		says   []string
	}{
		"another external ID": {func(_ *trust.Config, ids *serviceaccount.Identities) { ids.AWS.ExternalID = "guess" },
			http.StatusForbidden, []string{"AccessDenied", "sts:AssumeRole", partner, "assumed-role/orders/"}},
		"tags that the role does not allow": {func(c *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.SessionTags, c.AWS.Roles[1].TagSession = true, false
		}, http.StatusForbidden, []string{"AccessDenied", "sts:TagSession", partner}},
		"more than the hour of a chained session": {func(_ *trust.Config, ids *serviceaccount.Identities) {
			ids.AWS.Chain, ids.AWS.SessionDuration = []string{partner, reports}, 7200
		}, http.StatusBadRequest, []string{"ValidationError", "1 hour session limit for roles assumed by role chaining"}},
		"a role that the one before may not assume": {func(_ *trust.Config, ids *serviceaccount.Identities) { ids.AWS.Chain = []string{reports} },
			http.StatusForbidden, []string{"AccessDenied", reports}},
		"the first role": {func(c *trust.Config, _ *serviceaccount.Identities) { c.AWS.Roles[0].Subjects = nil },
			http.StatusForbidden, []string{"sts:AssumeRoleWithWebIdentity", role, subject}},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, chained(test.change))
			explained(t, w) // on a busy machine two exchanges take longer than an answer waits
			got := w.get(t, awsPath, awsHeader)
			if got.status != test.status {
				t.Errorf("status %d, want %d", got.status, test.status)
			}
			for _, part := range test.says {
				if !strings.Contains(got.body, part) {
					t.Errorf("the answer does not say %q: %s", part, got.body)
				}
			}
		})
	}
}
