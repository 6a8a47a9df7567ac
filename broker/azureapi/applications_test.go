package azureapi_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// trustedBy gives applications that trust a subject of the issuer.
func trustedBy(i *issuer.Issuer) func(id, subject string) trust.Application {
	return func(id, subject string) trust.Application {
		return trust.Application{ClientID: id, FederatedCredentials: []trust.FederatedCredential{{Issuer: i.URL, Subject: subject, Audience: azure.DefaultAudience}}}
	}
}

// podOf is what a pod of ServiceAccount shop/orders has: its token for Entra, and a way
// there.
func podOf(t *testing.T, i *issuer.Issuer, clouds *cloud.Clouds) (federation.TokenFile, *http.Client) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "azure")
	i.Write(t, token, issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-1", Audience: azure.DefaultAudience})
	ca, err := os.ReadFile(clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	to, err := endpoint.NewClient(ca)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(to.CloseIdleConnections)
	return federation.TokenFile(token), to
}

// TestApplications: one pod asks for tokens of several applications, in several
// tenants, by client ID. Each must trust the pod by a federated credential of its
// own; one that does not is explained, and does not keep the others from working.
func TestApplications(t *testing.T) {
	const (
		tenant   = "99999999-8888-7777-6666-555555555555"
		tenant2  = "88888888-8888-7777-6666-555555555555"
		sibling  = "33333333-2222-3333-4444-555555555555"
		abroad   = "44444444-2222-3333-4444-555555555555"
		stranger = "66666666-2222-3333-4444-555555555555"
	)
	i := issuer.Start(t)
	trusts := trustedBy(i)
	const subject = "system:serviceaccount:shop:orders"
	clouds := cloud.Start(t, trust.Config{Issuers: []trust.Issuer{i.Trust()}, Azure: trust.Azure{Tenants: []trust.Tenant{
		{ID: tenant, Applications: []trust.Application{trusts(client, subject), trusts(sibling, subject), trusts(stranger, "system:serviceaccount:shop:payments"), trusts(another, subject)}},
		{ID: tenant2, Applications: []trust.Application{trusts(abroad, subject)}},
	}}})
	token, to := podOf(t, i, clouds)
	c := &azure.Client{Token: token, AuthorityHost: clouds.Azure, HTTP: to, Identity: azure.Identity{
		ClientID: client, TenantID: tenant, Audience: azure.DefaultAudience,
		Others: []azure.Application{{ClientID: sibling, TenantID: tenant}, {ClientID: abroad, TenantID: tenant2}, {ClientID: stranger, TenantID: tenant}},
	}}
	source := func(id string) azureapi.Source {
		of, ok := c.For(id)
		if !ok {
			t.Fatalf("%s is not the identity's", id)
		}
		return of.Source(federation.Direct{})
	}
	h := &azureapi.Handler{AccessToken: source(client), ClientID: client, Others: map[string]azureapi.Source{}, Secret: uid, Log: slog.New(slog.DiscardHandler)}
	for _, a := range c.Identity.Others {
		h.Others[a.ClientID] = source(a.ClientID)
	}

	for name, test := range map[string]struct {
		query          string
		status         int
		client, tenant string
		says           string
	}{
		"none named":               {"", 200, client, tenant, ""},
		"the first":                {"&client_id=" + client, 200, client, tenant, ""},
		"another of the tenant":    {"&client_id=" + sibling, 200, sibling, tenant, ""},
		"in capitals":              {"&client_id=" + strings.ToUpper(sibling), 200, sibling, tenant, ""},
		"of another tenant":        {"&client_id=" + abroad, 200, abroad, tenant2, ""},
		"one that trusts another":  {"&client_id=" + stranger, 403, "", "", "AADSTS700213"},
		"one that is not the pods": {"&client_id=" + another, 400, "", "", client + ", " + sibling + ", " + abroad + ", " + stranger},
		"two":                      {"&client_id=" + client + "&client_id=" + sibling, 400, "", "", "more than once"},
		"a resource ID":            {"&mi_res_id=/subscriptions/x", 400, "", "", "this pod's has the client_id " + client},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{appService, imds} {
				got := ask(h, target+test.query)
				if got.Code != test.status || !strings.Contains(got.Body.String(), test.says) {
					t.Fatalf("status %d, want %d: %s", got.Code, test.status, got.Body)
				}
				if test.status != http.StatusOK {
					continue
				}
				var answer struct {
					AccessToken string `json:"access_token"`
					ClientID    string `json:"client_id"`
				}
				if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
					t.Fatal(err)
				}
				var claims struct{ Azp, Tid string }
				payload, err := base64.RawURLEncoding.DecodeString(strings.Split(answer.AccessToken, ".")[1])
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(payload, &claims); err != nil {
					t.Fatal(err)
				}
				if answer.ClientID != test.client || claims.Azp != test.client || claims.Tid != test.tenant {
					t.Errorf("the answer is for %s; the token of %s in %s", answer.ClientID, claims.Azp, claims.Tid)
				}
			}
		})
	}
	if _, ok := c.For(another); ok {
		t.Error("an application that is not the identity's")
	}
}

// TestAnyApplication: the ServiceAccount names no client, and the application one for
// each request, as operators do that act for many. Entra decides which trust the pod.
func TestAnyApplication(t *testing.T) {
	const tenant, stranger = "99999999-8888-7777-6666-555555555555", "66666666-2222-3333-4444-555555555555"
	i := issuer.Start(t)
	trusts := trustedBy(i)
	clouds := cloud.Start(t, trust.Config{Issuers: []trust.Issuer{i.Trust()}, Azure: trust.Azure{Tenants: []trust.Tenant{
		{ID: tenant, Applications: []trust.Application{trusts(client, "system:serviceaccount:shop:orders"), trusts(another, "system:serviceaccount:shop:orders"), trusts(stranger, "system:serviceaccount:shop:payments")}},
	}}})
	token, to := podOf(t, i, clouds)
	c := &azure.Client{Token: token, AuthorityHost: clouds.Azure, HTTP: to, Identity: azure.Identity{TenantID: tenant, Audience: azure.DefaultAudience}}
	h := &azureapi.Handler{Secret: uid, Log: slog.New(slog.DiscardHandler), Any: func(id string) (azureapi.Source, bool) {
		of, ok := c.For(id)
		if !ok {
			return nil, false
		}
		return of.Source(federation.Direct{}), true
	}}
	for name, test := range map[string]struct {
		query  string
		status int
		says   string
	}{
		"one":                    {"&client_id=" + client, 200, `"client_id":"` + client + `"`},
		"another":                {"&client_id=" + another, 200, `"client_id":"` + another + `"`},
		"in capitals":            {"&client_id=" + strings.ToUpper(another), 200, `"client_id":"` + another + `"`},
		"one that trusts others": {"&client_id=" + stranger, 403, "AADSTS700213"},
		"one that is not there":  {"&client_id=77777777-2222-3333-4444-555555555555", 400, "AADSTS700016"},
		"none":                   {"", 400, "AZURE_CLIENT_ID"},
		"an empty one":           {"&client_id=", 400, "AZURE_CLIENT_ID"},
		"no GUID":                {"&client_id=../x", 400, "GUID"},
		"two":                    {"&client_id=" + client + "&client_id=" + another, 400, "more than once"},
		"a resource ID":          {"&mi_res_id=/subscriptions/x", 400, "name it by its client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{appService, imds} {
				if got := ask(h, target+test.query); got.Code != test.status || !strings.Contains(got.Body.String(), test.says) {
					t.Errorf("status %d, want %d with %q: %s", got.Code, test.status, test.says, got.Body)
				}
			}
		})
	}
}
