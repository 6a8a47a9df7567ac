package entra_test

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/test/cloud/entra"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	tenant   = "99999999-8888-7777-6666-555555555555"
	client   = "11111111-2222-3333-4444-555555555555"
	untied   = "22222222-2222-3333-4444-555555555555" // has no federated credential
	audience = "api://AzureADTokenExchange"
)

// TestTokenIsStrict: what Entra refuses, by its own codes.
func TestTokenIsStrict(t *testing.T) {
	i := issuer.Start(t)
	secret, ended := trust.ClientSecret{ID: "current", Value: rand.Text(), Ends: time.Now().Add(time.Hour)}, trust.ClientSecret{ID: "ended", Value: rand.Text(), Ends: time.Now().Add(-time.Hour)}
	s := &entra.Server{Verifier: trust.NewVerifier([]trust.Issuer{i.Trust()}), Signer: i.Signer, Trust: trust.Azure{Tenants: []trust.Tenant{{ID: tenant, Applications: []trust.Application{
		{ClientID: client, FederatedCredentials: []trust.FederatedCredential{{Issuer: i.URL, Subject: "system:serviceaccount:shop:orders", Audience: audience}}}, {ClientID: untied, Secrets: []trust.ClientSecret{secret, ended}},
	}}}}}
	orders := issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience}
	expired, elsewhere, capitals, other, slash := orders, orders, orders, orders, orders
	expired.IssuedAt = time.Now().Add(-2 * time.Hour)
	elsewhere.Issuer = "https://elsewhere.example.com"
	capitals.ServiceAccount = "Orders"
	other.Audience = "sts.amazonaws.com"
	slash.Issuer = i.URL + "/"
	good := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client}, "scope": {"https://vault.azure.net/.default"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {i.Token(t, orders)},
	}
	bySecret := maps.Clone(good)
	bySecret.Set("client_id", untied)
	bySecret.Del("client_assertion_type")
	bySecret.Del("client_assertion")
	for name, test := range map[string]struct {
		tenant, parameter, value string
		code                     string // "": it is given
	}{
		"as it should be":       {tenant, "", "", ""},
		"OpenID's scopes, too":  {tenant, "scope", "https://vault.azure.net/.default openid offline_access profile", ""},
		"a doubled slash":       {tenant, "scope", "https://storage.azure.com//.default", ""},
		"claims":                {tenant, "claims", `{"access_token":{}}`, ""},
		"another tenant":        {"88888888-8888-7777-6666-555555555555", "", "", "AADSTS90002:"},
		"another grant":         {tenant, "grant_type", "authorization_code", "AADSTS70003:"},
		"another client":        {tenant, "client_id", "33333333-2222-3333-4444-555555555555", "AADSTS700016:"},
		"no credential":         {tenant, "client_id", untied, "AADSTS70025:"},
		"another kind of proof": {tenant, "client_assertion_type", "", "AADSTS7000218:"},
		"a scope of its own":    {tenant, "scope", "https://vault.azure.net/user_impersonation", "AADSTS70011:"},
		"two resources":         {tenant, "scope", "https://a/.default https://b/x", "AADSTS70011:"},
		"claims that are none":  {tenant, "claims", "x", "AADSTS9002313:"},
		"no assertion":          {tenant, "client_assertion", "", "AADSTS50027:"},
		"an expired assertion":  {tenant, "client_assertion", i.Token(t, expired), "AADSTS700024:"},
		"another issuer":        {tenant, "client_assertion", i.Token(t, elsewhere), "AADSTS700211:"},
		"a slash more":          {tenant, "client_assertion", i.Token(t, slash), "AADSTS700211:"},
		"another letter case":   {tenant, "client_assertion", i.Token(t, capitals), "AADSTS700213:"},
		"another audience":      {tenant, "client_assertion", i.Token(t, other), "AADSTS700212:"},
		"a secret":              {tenant, "client_secret", secret.Value, ""},
		"another secret":        {tenant, "client_secret", rand.Text(), "AADSTS7000215:"},
		"a secret's ID":         {tenant, "client_secret", secret.ID, "AADSTS7000215:"},
		"a secret that ended":   {tenant, "client_secret", ended.Value, "AADSTS7000222:"},
		"a forged signature":    {tenant, "client_assertion", good.Get("client_assertion")[:len(good.Get("client_assertion"))-8] + "AAAAAAAA", "AADSTS7000272:"},
	} {
		t.Run(name, func(t *testing.T) {
			f := maps.Clone(good)
			if test.parameter == "client_secret" {
				f = maps.Clone(bySecret)
			}
			if test.parameter != "" {
				f.Set(test.parameter, test.value)
			}
			r := httptest.NewRequest(http.MethodPost, "/"+test.tenant+"/oauth2/v2.0/token", strings.NewReader(f.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			var answer struct {
				AccessToken string `json:"access_token"`
				RefreshIn   int    `json:"refresh_in"`
				Description string `json:"error_description"`
				Codes       []int  `json:"error_codes"`
				Correlation string `json:"correlation_id"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if test.code == "" {
				if w.Code != http.StatusOK || answer.AccessToken == "" || answer.RefreshIn == 0 {
					t.Errorf("status %d: %s", w.Code, answer.Description)
				}
				return
			}
			if w.Code < 400 || w.Code > 401 || !strings.HasPrefix(answer.Description, test.code) || len(answer.Codes) != 1 || answer.Correlation == "" {
				t.Errorf("status %d, %q, want %s", w.Code, answer.Description, test.code)
			}
		})
	}
	if d := cmp.Diff(map[string]int{"current": 1}, s.Uses.Counts()); d != "" {
		t.Error("uses of secrets:", d)
	}
}
