package sdks

import (
	"time"

	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// refusals are the ways in which trust is not what it should be, and a part of
// each cloud's own text for it.
var refusals = map[string]struct {
	scenario
	causes map[string]string // by cloud
}{
	"expired token": {
		scenario: scenario{token: func(c *issuer.Claims) { c.IssuedAt, c.Life = time.Now().Add(-2*time.Hour), time.Hour }},
		causes:   map[string]string{"aws": "ExpiredTokenException", "gcp": "is stale to sign-in", "azure": "AADSTS700024"},
	},
	"wrong audience": {
		scenario: scenario{token: func(c *issuer.Claims) { c.Audience = "https://kubernetes.default.svc" }},
		causes:   map[string]string{"aws": "Incorrect token audience", "gcp": "The audience in ID Token", "azure": "AADSTS700212"},
	},
	"untrusted issuer": {
		scenario: scenario{trust: func(c *trust.Config) {
			const other = "https://oidc.example.com/another-cluster"
			c.AWS.Providers[0].Issuer = other
			c.GCP.Providers[0].Issuer = other
			c.Azure.Tenants[0].Applications[0].FederatedCredentials[0].Issuer = other
		}},
		causes: map[string]string{"aws": "No OpenIDConnect provider found in your account", "gcp": "The issuer in ID Token", "azure": "AADSTS700211"},
	},
	"unknown identity": {
		scenario: scenario{trust: func(c *trust.Config) {
			c.AWS.Roles = nil
			c.GCP.ServiceAccounts = nil
			c.Azure.Tenants[0].Applications = nil
		}},
		causes: map[string]string{
			"aws": "Not authorized to perform sts:AssumeRoleWithWebIdentity", "gcp": "iam.serviceAccounts.getAccessToken", "azure": "AADSTS700016",
		},
	},
}

// throttled is each cloud's way to say "not now", to one request.
var throttled = []fault.Fault{
	{Operation: "aws", Status: 400, Count: 1, Body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>`},
	{Operation: "gcp-sts", Status: 429, RetryAfter: 1, Count: 1, Body: `{"error":"rate_limit_exceeded","error_description":"Quota exceeded for token exchange requests."}`},
	{Operation: "azure", Status: 429, RetryAfter: 1, Count: 1, Body: `{"error":"temporarily_unavailable","error_description":"AADSTS90055: The tenant is being throttled.","error_codes":[90055]}`},
}
