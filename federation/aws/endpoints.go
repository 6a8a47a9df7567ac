package aws

import (
	"context"
	"net/url"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Endpoints choose among AWS's own endpoints of a region, as AWS_USE_FIPS_ENDPOINT and
// AWS_USE_DUALSTACK_ENDPOINT do for SDKs.
type Endpoints struct {
	// FIPS: the endpoint whose cryptography is validated (FIPS 140); not in every region.
	FIPS bool
	// DualStack: the endpoint that has IPv6 addresses too.
	DualStack bool
}

// sts is the URL of STS in a region, by the SDK's rules.
func (e Endpoints) sts(region string) string {
	resolved, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack,
	}.WithDefaults())
	if err != nil {
		return "" // not a region that the SDK takes; validated before
	}
	return resolved.URI.String()
}

// stsHost is a host of STS that names its region: AWS's own, FIPS or dual-stack, or an
// interface endpoint in somebody's VPC.
var stsHost = regexp.MustCompile(`(?:^|\.)sts(?:-fips)?\.([a-z]{2,8}(?:-[a-z]{1,16}){1,3}-\d{1,2})\.`)

// signingRegion is what a request to an endpoint is signed for: the region in the
// host's name, since STS refuses a signature for another; otherwise the region that is
// configured.
func signingRegion(endpoint, configured string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return configured
	}
	if u.Hostname() == "sts.amazonaws.com" { // the global one
		return "us-east-1"
	}
	if m := stsHost.FindStringSubmatch(u.Hostname()); m != nil {
		return m[1]
	}
	return configured
}
