package trust

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
	"github.com/podpass-io/podpass/test/cloud/awssts"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

var awsCloud = cloud{least: 30, evaluate: evaluateAWS, exchange: exchangeAWS}

func evaluateAWS(t *testing.T, c Case) trust.Verdict {
	d, err := awstrust.Parse([]byte(c.Document))
	if err != nil {
		t.Fatal(err)
	}
	return awstrust.EvaluateRequest(d, awstrust.Request{Claims: c.federationClaims(t), Context: c.Context})
}

// federationClaims are the case's, as federation reads them of a token.
func (c Case) federationClaims(t *testing.T) federation.Claims {
	t.Helper()
	text := func(name string) string { s, _ := c.Claims[name].(string); return s }
	claims := federation.Claims{Issuer: text("iss"), Subject: text("sub")}
	switch aud := c.Claims["aud"].(type) {
	case string:
		claims.Audiences = []string{aud}
	case []any:
		for _, a := range aud {
			one, ok := a.(string)
			if !ok {
				t.Fatalf("aud has a %T", a)
			}
			claims.Audiences = append(claims.Audiences, one)
		}
	}
	return claims
}

// policyOnly is the role of documents that are a policy alone.
const policyOnly = "arn:aws:iam::111122223333:role/orders"

// exchangeAWS reads the document by itself: the stand-in takes the policy as it is.
func exchangeAWS(t *testing.T, c Case, issuers []cloudtrust.Issuer, token string) bool {
	claims := c.federationClaims(t)
	role := cloudtrust.AWSRole{ARN: policyOnly}
	var providers []cloudtrust.AWSProvider
	for d := json.NewDecoder(strings.NewReader(c.Document)); ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var printed struct {
			Role struct {
				Arn                      string
				AssumeRolePolicyDocument json.RawMessage
			}
			Statement    json.RawMessage
			Url          string //nolint:revive // as AWS writes it
			ClientIDList []string
		}
		if err := json.Unmarshal(raw, &printed); err != nil {
			t.Fatal(err)
		}
		switch {
		case printed.Url != "":
			providers = append(providers, cloudtrust.AWSProvider{Issuer: "https://" + printed.Url, Audiences: printed.ClientIDList})
		case printed.Statement != nil:
			role.Policy = raw
		default:
			role.ARN, role.Policy = printed.Role.Arn, printed.Role.AssumeRolePolicyDocument
		}
	}
	if providers == nil { // what the document does not tell is right
		providers = []cloudtrust.AWSProvider{{Issuer: claims.Issuer, Audiences: claims.Audiences}}
	}
	for n := range providers {
		providers[n].Account = aws.AccountOf(role.ARN)
	}
	server := httptest.NewTLSServer(&awssts.Server{
		Trust: cloudtrust.AWS{Providers: providers, Roles: []cloudtrust.AWSRole{role}}, Verifier: cloudtrust.NewVerifier(issuers),
	})
	defer server.Close()
	resp, err := server.Client().PostForm(server.URL, url.Values{
		"Version": {"2011-06-15"}, "Action": {"AssumeRoleWithWebIdentity"},
		"RoleArn": {role.ARN}, "RoleSessionName": {"conformance"}, "WebIdentityToken": {token},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Code   string `xml:"Error>Code"`
		Result struct {
			Token string `xml:"Credentials>SessionToken"`
		} `xml:"AssumeRoleWithWebIdentityResult"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	refusals := []string{"AccessDenied", "InvalidIdentityToken", "IDPCommunicationError"}
	if answer.Code != "" && !slices.Contains(refusals, answer.Code) || answer.Code == "" && answer.Result.Token == "" {
		t.Fatalf("neither credentials nor a refusal: status %s, code %q", resp.Status, answer.Code)
	}
	return answer.Code == ""
}
