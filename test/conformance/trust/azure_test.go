package trust

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/azuretrust"
	"github.com/podpass-io/podpass/test/cloud/entra"
	"github.com/podpass-io/podpass/test/cloud/signer"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

var azureCloud = cloud{least: 16, evaluate: evaluateAzure, exchange: exchangeAzure}

func evaluateAzure(t *testing.T, c Case) trust.Verdict {
	d, err := azuretrust.Parse([]byte(c.Document))
	if err != nil {
		t.Fatal(err)
	}
	return azuretrust.Evaluate(d, c.federationClaims(t))
}

// exchangeAzure asks for a token of an application that has the document's credentials.
func exchangeAzure(t *testing.T, c Case, issuers []cloudtrust.Issuer, token string) bool {
	const tenant, client = "99999999-8888-7777-6666-555555555555", "11111111-2222-3333-4444-555555555555"
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	defer sign.Close()
	server := httptest.NewServer(&entra.Server{
		Trust:    cloudtrust.Azure{Tenants: []cloudtrust.Tenant{{ID: tenant, Applications: []cloudtrust.Application{{ClientID: client, Listed: c.Document}}}}},
		Verifier: cloudtrust.NewVerifier(issuers), Signer: sign,
	})
	defer server.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	post(t, server.URL+"/"+tenant+"/oauth2/v2.0/token", "", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client}, "scope": {"https://management.azure.com/.default"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token},
	}.Encode(), &answer)
	return answer.AccessToken != ""
}
