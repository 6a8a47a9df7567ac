package trust

import (
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
	"github.com/podpass-io/podpass/test/cloud/awssts"
	"github.com/podpass-io/podpass/test/cloud/signer"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

// TestRenderedAWS: what Render says that AWS must hold is put into the stand-in, and the
// broker's own exchange gets credentials there, at the end of a chain in another account
// with an external ID and session tags, too; and nobody else does.
func TestRenderedAWS(t *testing.T) {
	prod, staging := "https://oidc.example.com/prod", "https://oidc.example.com/staging"
	annotated := map[string]map[string]string{
		"orders":  {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shared"},
		"web":     {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shared", "eks.amazonaws.com/audience": "vault"},
		"partner": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/first", "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/team/second,arn:aws:iam::444455556666:role/third", "podpass.io/aws-external-id": "orders-42", "podpass.io/aws-session-tags": "true"},
		"stray":   nil,
	}
	var accounts []trust.Account
	for _, name := range slices.Sorted(maps.Keys(annotated)) {
		for _, issuer := range []string{prod, staging} {
			if issuer == prod || name == "orders" { // staging has orders alone
				accounts = append(accounts, trust.Account{Cluster: trust.Cluster{Issuer: issuer}, Namespace: "shop", Name: name, Answer: serviceaccount.Resolve(
					serviceaccount.Request{Namespace: "shop", Name: name, Annotations: annotated[name], AnyPod: true}, serviceaccount.Installation{})})
			}
		}
	}
	plan, found := awstrust.Render(accounts, awstrust.Options{})
	if len(found) != 1 || found[0].Where != "ServiceAccount shop/stray" {
		t.Fatalf("findings: %v, want one, of shop/stray", found)
	}
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sign.Close)
	world := stand(t, plan, sign, prod, staging)

	get := func(issuer, name string, id aws.Identity) (federation.Credential, error) {
		token, err := sign.Sign(map[string]any{
			"iss": issuer, "sub": "system:serviceaccount:shop:" + name, "aud": []string{id.Audience}, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			"kubernetes.io": map[string]any{"namespace": "shop", "serviceaccount": map[string]string{"name": name}},
		})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		client := &aws.Client{Identity: id, Token: federation.TokenFile(path), Endpoint: world.url, HTTP: world.client(t)}
		return client.Credentials().Exchange(t.Context())
	}
	for _, a := range accounts {
		if a.Answer.AWS == nil {
			continue
		}
		id := a.Answer.AWS.Identity
		if _, err := get(a.Cluster.Issuer, a.Name, id); err != nil {
			t.Errorf("%s of %s: %v", a.Name, a.Cluster.Issuer, err)
		}
		for who, issuer := range map[string]string{"stray": prod, a.Name: staging} {
			if who == a.Name && a.Name == "orders" {
				continue // it may
			}
			_, err := get(issuer, who, id)
			// staging's provider does not know the audience of prod's web.
			if kind := federation.KindOf(err); kind != federation.KindDenied && kind != federation.KindAudienceMismatch {
				t.Errorf("%s of %s with the identity of %s: %v, want it refused", who, issuer, a.Name, err)
			}
		}
		if len(id.Chain) == 0 {
			continue
		}
		id.ExternalID = "another"
		if _, err := get(a.Cluster.Issuer, a.Name, id); federation.KindOf(err) != federation.KindDenied {
			t.Errorf("the chain with another external ID: %v, want it denied", err)
		}
	}
}

type stood struct {
	url string
	pem []byte
}

func (s stood) client(t *testing.T) *http.Client {
	t.Helper()
	c, err := endpoint.NewClient(s.pem)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stand is the stand-in, configured with the plan as IAM would have it.
func stand(t *testing.T, plan *awstrust.Plan, sign *signer.Signer, issuers ...string) stood {
	t.Helper()
	raw, err := plan.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var held struct {
		OpenIDConnectProviders []struct {
			Arn, Url     string //nolint:revive // as AWS writes it
			ClientIDList []string
		}
		Roles []struct {
			Arn                      string
			AssumeRolePolicyDocument json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &held); err != nil {
		t.Fatal(err)
	}
	keys, err := sign.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var config cloudtrust.Config
	for _, i := range issuers {
		config.Issuers = append(config.Issuers, cloudtrust.Issuer{URL: i, JWKS: keys})
	}
	for _, p := range held.OpenIDConnectProviders {
		config.AWS.Providers = append(config.AWS.Providers, cloudtrust.AWSProvider{Account: aws.AccountOf(p.Arn), Issuer: "https://" + p.Url, Audiences: p.ClientIDList})
	}
	for _, r := range held.Roles {
		config.AWS.Roles = append(config.AWS.Roles, cloudtrust.AWSRole{ARN: r.Arn, Policy: r.AssumeRolePolicyDocument})
	}
	server := httptest.NewTLSServer(&awssts.Server{Trust: config.AWS, Verifier: cloudtrust.NewVerifier(config.Issuers)})
	t.Cleanup(server.Close)
	return stood{server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})}
}
