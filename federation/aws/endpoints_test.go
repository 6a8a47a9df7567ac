package aws_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/aws"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

// TestEndpointIsSignedFor: a chain's request went to the endpoint that the administrator
// set and was signed for the region of the pod, which STS refuses.
func TestEndpointIsSignedFor(t *testing.T) {
	const orders, partner = "arn:aws:iam::111122223333:role/orders", "arn:aws:iam::444455556666:role/partner"
	for name, tt := range map[string]struct {
		role, region, endpoint string
		own                    aws.Endpoints
		host, signed           string
	}{
		"the region's own":              {orders, "eu-west-1", "", aws.Endpoints{}, "sts.eu-west-1.amazonaws.com", "eu-west-1"},
		"FIPS":                          {orders, "us-west-2", "", aws.Endpoints{FIPS: true}, "sts-fips.us-west-2.amazonaws.com", "us-west-2"},
		"FIPS where it is all there is": {"arn:aws-us-gov:iam::111122223333:role/orders", "us-gov-east-1", "", aws.Endpoints{FIPS: true}, "sts.us-gov-east-1.amazonaws.com", "us-gov-east-1"},
		"dual-stack":                    {orders, "eu-west-1", "", aws.Endpoints{DualStack: true}, "sts.eu-west-1.api.aws", "eu-west-1"},
		"both":                          {orders, "us-east-2", "", aws.Endpoints{FIPS: true, DualStack: true}, "sts-fips.us-east-2.api.aws", "us-east-2"},
		"both in China":                 {"arn:aws-cn:iam::111122223333:role/orders", "cn-north-1", "", aws.Endpoints{DualStack: true}, "sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
		"no region":                     {orders, "", "", aws.Endpoints{}, "sts.us-east-1.amazonaws.com", "us-east-1"},
		"another region's":              {orders, "eu-west-1", "https://sts-fips.us-east-1.amazonaws.com", aws.Endpoints{}, "sts-fips.us-east-1.amazonaws.com", "us-east-1"},
		"the global one":                {orders, "eu-west-1", "https://sts.amazonaws.com", aws.Endpoints{}, "sts.amazonaws.com", "us-east-1"},
		"a VPC's":                       {orders, "us-east-1", "https://vpce-0a1-b2.sts.eu-central-1.vpce.amazonaws.com/", aws.Endpoints{}, "vpce-0a1-b2.sts.eu-central-1.vpce.amazonaws.com", "eu-central-1"},
		"one that names no region":      {orders, "eu-west-1", "https://sts.corp.example", aws.Endpoints{}, "sts.corp.example", "eu-west-1"},
		"the administrator's wins":      {orders, "eu-west-1", "https://sts.corp.example", aws.Endpoints{FIPS: true}, "sts.corp.example", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			var got recorded
			c := &aws.Client{
				Identity: aws.Identity{RoleARN: tt.role, Region: tt.region, Chain: []string{partner}},
				Token:    ft.Token{}, Endpoint: tt.endpoint, Endpoints: tt.own, HTTP: &http.Client{Transport: &got}, Via: held{},
			}
			if _, err := c.Credentials().Exchange(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got.host != tt.host || !strings.Contains(got.authorization, "/"+tt.signed+"/sts/aws4_request") {
				t.Errorf("asked %s, signed %s; want %s, %s", got.host, got.authorization, tt.host, tt.signed)
			}
		})
	}
}
