package aws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

// recorded is what STS was sent.
type recorded struct {
	host, authorization string
	form                url.Values
	user                string
}

// RoundTrip answers whatever it is asked with credentials, and records it.
func (got *recorded) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if got.form, err = url.ParseQuery(string(body)); err != nil {
		return nil, err
	}
	got.host, got.authorization = r.URL.Host, r.Header.Get("Authorization")
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "text/xml")
	action := got.form.Get("Action")
	_, err = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>
<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>key</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><Arn>%[2]s</Arn></AssumedRoleUser></%[1]sResult></%[1]sResponse>`, action, got.user)
	return w.Result(), err
}

func (got *recorded) exchange(t *testing.T, i aws.Identity) {
	t.Helper()
	c := &aws.Client{Identity: i, Token: ft.Token{}, HTTP: &http.Client{Transport: got}, Via: held{}}
	if _, err := c.Credentials().Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// held gives a chain what it starts from.
type held struct{}

func (held) Get(context.Context, federation.Exchanger) (federation.Credential, error) {
	return federation.Credential{AccessKeyID: "ASIAFROM", SecretAccessKey: "key", Token: "session"}, nil
}

// TestRequests: every parameter, and which role of a chain gets which.
func TestRequests(t *testing.T) {
	const orders, partner = "arn:aws:iam::111122223333:role/orders", "arn:aws:iam::444455556666:role/partner"
	for name, test := range map[string]struct {
		identity aws.Identity
		want     url.Values
	}{
		"web identity": {aws.Identity{RoleARN: orders}, url.Values{"RoleArn": {orders}, "RoleSessionName": {"shop.orders.orders-1"}}},
		"web identity, all options": {aws.Identity{RoleARN: orders, SessionName: "orders", SessionDuration: 7200, SessionPolicy: "{}"},
			url.Values{"RoleArn": {orders}, "RoleSessionName": {"orders"}, "DurationSeconds": {"7200"}, "Policy": {"{}"}}},
		"chain": {aws.Identity{RoleARN: orders, Chain: []string{partner}, ExternalID: "orders-42", SessionDuration: 900, SessionPolicy: "{}"},
			url.Values{"RoleArn": {partner}, "RoleSessionName": {"shop.orders.orders-1"}, "ExternalId": {"orders-42"}, "DurationSeconds": {"900"}, "Policy": {"{}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got recorded
			got.exchange(t, test.identity)
			test.want.Set("Version", "2011-06-15")
			test.want.Set("Action", "AssumeRoleWithWebIdentity")
			if len(test.identity.Chain) > 0 {
				test.want.Set("Action", "AssumeRole")
			} else {
				test.want.Set("WebIdentityToken", ft.Token{}.Raw())
			}
			if diff := cmp.Diff(test.want, got.form); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if signed := got.authorization != ""; signed != (len(test.identity.Chain) > 0) {
				t.Errorf("signed: %t", signed)
			}
		})
	}
}

// TestChainWithoutCache: each role is assumed from the one before, the first by the
// token; tags go with the first AssumeRole alone.
func TestChainWithoutCache(t *testing.T) {
	const orders, partner, last = "arn:aws:iam::111122223333:role/orders", "arn:aws:iam::444455556666:role/partner", "arn:aws:iam::777788889999:role/last"
	var all chain
	c := &aws.Client{
		Identity: aws.Identity{RoleARN: orders, Chain: []string{partner, last}, SessionDuration: 900, SessionPolicy: "{}", ExternalID: "orders-42", SessionTags: true, ClusterARN: "c-arn", ClusterName: "c"},
		Token:    ft.Token{}, HTTP: &http.Client{Transport: &all},
	}
	credential, err := c.Credentials().Exchange(t.Context())
	if err != nil || credential.AccessKeyID != "ASIA" || credential.SecretAccessKey != "key" || credential.Token != "session" || credential.Principal != last {
		t.Fatalf("%+v, %v", credential, err)
	}
	// STS says 2030: a clock that is behind would see that, and a session is never longer
	// than it was asked to be, but for a minute.
	if life := credential.Expiry.Life(); life < 15*time.Minute || life > 16*time.Minute {
		t.Errorf("a life of %s", life)
	}
	if len(all.sent) != 3 {
		t.Fatalf("%d requests", len(all.sent))
	}
	for n, want := range []struct{ role, duration, external, tag string }{{orders, "", "", ""}, {partner, "", "orders-42", "eks-cluster-arn"}, {last, "900", "orders-42", ""}} {
		f := all.sent[n]
		if f.Get("RoleArn") != want.role || f.Get("DurationSeconds") != want.duration || f.Get("ExternalId") != want.external || f.Get("Tags.member.1.Key") != want.tag {
			t.Errorf("request %d: %v", n, f)
		}
	}
	if f := all.sent[1]; f.Get("Tags.member.6.Key") != "kubernetes-pod-uid" || f.Get("Tags.member.6.Value") != "u-1" || f.Get("TransitiveTagKeys.member.6") != "kubernetes-pod-uid" {
		t.Errorf("tags: %v", f)
	}
}

// TestPrincipal: who STS says that it is.
func TestPrincipal(t *testing.T) {
	const user = "arn:aws:sts::111122223333:assumed-role/orders/shop.orders.orders-1"
	c := &aws.Client{Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders"}, Token: ft.Token{}, HTTP: &http.Client{Transport: &recorded{user: user}}}
	if credential, err := c.Credentials().Exchange(t.Context()); err != nil || credential.Principal != user {
		t.Errorf("%s, %v", credential.Principal, err)
	}
}

// chain keeps each request of a chain.
type chain struct{ sent []url.Values }

func (c *chain) RoundTrip(r *http.Request) (*http.Response, error) {
	var one recorded
	resp, err := one.RoundTrip(r)
	c.sent = append(c.sent, one.form)
	return resp, err
}

// noToken is a token source whose file cannot be read.
type noToken struct{}

func (noToken) SubjectToken(context.Context) (federation.SubjectToken, error) {
	return federation.SubjectToken{}, &federation.Error{Kind: federation.KindConfig, Op: "read subject token"}
}

// TestNoToken: nobody is asked without one, and what a chain starts from comes first.
func TestNoToken(t *testing.T) {
	var got recorded
	for _, via := range []federation.Getter{held{}, nil} {
		for _, list := range [][]string{nil, {"arn:aws:iam::444455556666:role/partner"}} {
			c := &aws.Client{Identity: aws.Identity{RoleARN: "arn:aws:iam::111122223333:role/orders", Chain: list}, Token: noToken{}, Via: via, HTTP: &http.Client{Transport: &got}}
			_, err := c.Credentials().Exchange(t.Context())
			if e, ok := errors.AsType[*federation.Error](err); !ok || !e.Local() {
				t.Errorf("%v: %v", list, err)
			}
		}
	}
	if got.host != "" {
		t.Error("STS was asked")
	}
}

// TestEndpoints: AWS's own STS of the region, or of the role's partition, and what is
// signed for.
func TestEndpoints(t *testing.T) {
	for _, test := range []struct{ partition, region, host, signed string }{
		{"aws", "", "sts.us-east-1.amazonaws.com", "us-east-1"},
		{"aws", "eu-central-1", "sts.eu-central-1.amazonaws.com", "eu-central-1"},
		{"aws-cn", "", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"aws-cn", "cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
		{"aws-us-gov", "", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
		{"aws-eusc", "", "sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
		{"aws-iso", "", "sts.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
		{"aws-iso-b", "", "sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
		{"aws-iso-e", "", "sts.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"},
		{"aws-iso-f", "", "sts.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
		{"aws-new", "", "sts.us-east-1.amazonaws.com", "us-east-1"},
	} {
		role := "arn:" + test.partition + ":iam::111122223333:role/orders"
		var got recorded
		got.exchange(t, aws.Identity{RoleARN: role, Region: test.region, Chain: []string{role}})
		if got.host != test.host || !strings.Contains(got.authorization, "/"+test.signed+"/sts/aws4_request") {
			t.Errorf("%s %q: %s, signed for %s", test.partition, test.region, got.host, got.authorization)
		}
	}
}

func TestRegionFits(t *testing.T) {
	for _, test := range []struct {
		region, partition string
		want              bool
	}{
		{"eu-central-1", "aws", true},
		{"cn-north-1", "aws", false},
		{"us-gov-east-1", "aws", false},
		{"us-isof-east-1", "aws", false},
		{"cn-north-1", "aws-cn", true},
		{"eu-central-1", "aws-cn", false},
		{"us-gov-east-1", "aws-cn", false},
		{"us-iso-west-1", "aws-iso", true},
		{"us-isob-east-1", "aws-iso", false},
		{"us-isob-east-1", "aws-iso-b", true},
		{"eu-central-1", "aws-new", true},
		{"anywhere", "minio", true},
	} {
		if got := aws.RegionFits(test.region, "arn:"+test.partition+":iam::111122223333:role/x"); got != test.want {
			t.Errorf("%s in %s: %t", test.region, test.partition, got)
		}
	}
}
