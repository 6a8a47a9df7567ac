package trust

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/gcptrust"
	"github.com/podpass-io/podpass/test/cloud/gcpsts"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

var gcpCloud = cloud{least: 40, evaluate: evaluateGCP, exchange: exchangeGCP}

// uploaded stands in documents for the keys that sign the tokens.
const uploaded = "UPLOADED_KEYS"

func evaluateGCP(t *testing.T, c Case) trust.Verdict {
	d, err := gcptrust.Parse([]byte(strings.ReplaceAll(c.Document, uploaded, `{"keys":[{"kty":"RSA","kid":"signs-now"}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	claims := c.federationClaims(t)
	claims.KeyID = "signs-now"
	return gcptrust.Evaluate(d, claims, c.Claims)
}

// printed is what gcloud printed, by what it is about.
type printed struct{ providers, pools, policies []string }

var (
	aProvider = regexp.MustCompile(`(?m)^name: (projects/.*/workloadIdentityPools/.*/providers/.*)$`)
	aPool     = regexp.MustCompile(`(?m)^name: projects/.*/workloadIdentityPools/[^/]*$`)
)

func printedBy(document string) printed {
	var p printed
	for part := range strings.SplitSeq(document, "---\n") {
		switch {
		case aProvider.MatchString(part):
			p.providers = append(p.providers, part)
		case aPool.MatchString(part):
			p.pools = append(p.pools, part)
		default:
			p.policies = append(p.policies, part)
		}
	}
	return p
}

// exchangeGCP trades the token through the document's first provider, or, as GKE does,
// through the pool that the audience names; and then for one of the service account.
func exchangeGCP(t *testing.T, c Case, issuers []cloudtrust.Issuer, token string) bool {
	const account = "orders@example-project.iam.gserviceaccount.com"
	if len(issuers) > 0 {
		c.Document = strings.ReplaceAll(c.Document, uploaded, string(issuers[0].JWKS))
	}
	p := printedBy(c.Document)
	var config cloudtrust.GCP
	for _, text := range p.providers {
		config.Providers = append(config.Providers, cloudtrust.GCPProvider{
			Name: aProvider.FindStringSubmatch(text)[1], Described: text, Pool: strings.Join(p.pools, ""),
		})
	}
	if len(p.providers) == 0 {
		iss, aud := fmt.Sprint(c.Claims["iss"]), fmt.Sprint(c.Claims["aud"].([]any)[0])
		config.Providers = []cloudtrust.GCPProvider{{Name: "identitynamespace:" + aud + ":" + iss, Issuer: iss}}
	}
	for _, text := range p.policies {
		config.ServiceAccounts = append(config.ServiceAccounts, cloudtrust.GCPServiceAccount{Email: account, Policy: text})
	}
	server := httptest.NewServer(&gcpsts.Server{Trust: config, Verifier: cloudtrust.NewVerifier(issuers)})
	defer server.Close()

	audience := config.Providers[0].Name
	if strings.HasPrefix(audience, "projects/") {
		audience = "//iam.googleapis.com/" + audience
	}
	var federated struct {
		AccessToken string `json:"access_token"`
	}
	post(t, server.URL+"/v1/token", "", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {audience}, "scope": {gcp.CloudPlatform},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		"subject_token": {token},
	}.Encode(), &federated)
	if federated.AccessToken == "" || len(p.policies) == 0 {
		return federated.AccessToken != ""
	}
	var impersonated struct {
		AccessToken string `json:"accessToken"`
	}
	post(t, server.URL+"/v1/projects/-/serviceAccounts/"+account+":generateAccessToken", federated.AccessToken,
		`{"scope":["`+gcp.CloudPlatform+`"],"lifetime":"3600s"}`, &impersonated)
	return impersonated.AccessToken != ""
}

// post sends a form, or JSON where there is a bearer; an answer that is no success leaves
// into as it is.
func post(t *testing.T, to, bearer, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if !slices.Contains([]int{http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}, answer.StatusCode) {
		t.Fatalf("%s: %s", to, answer.Status)
	}
	if answer.StatusCode != http.StatusOK {
		var says struct {
			Description string `json:"error_description"`
			Error       any    `json:"error"`
		}
		_ = json.NewDecoder(answer.Body).Decode(&says) // shown only
		t.Logf("%s: %s %v", answer.Status, says.Description, says.Error)
		return
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
