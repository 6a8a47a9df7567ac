package trust

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/test/cloud/signer"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

// cloud is what a cloud's cases run through.
type cloud struct {
	// least is how many cases there must be: a suite that shrinks by itself shows
	// nothing.
	least int
	// evaluate is federation/trust's.
	evaluate func(*testing.T, Case) trust.Verdict
	// exchange configures the stand-in with the case's document and trades the token
	// there: whether it was let in.
	exchange func(t *testing.T, c Case, issuers []cloudtrust.Issuer, token string) bool
}

// clouds by the name that cases have.
var clouds = map[string]cloud{
	"aws":   awsCloud,
	"azure": azureCloud,
	"gcp":   gcpCloud,
}

func load(t *testing.T) map[string][]Case {
	t.Helper()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	byCloud := map[string][]Case{}
	for _, c := range all {
		if _, ok := clouds[c.Cloud]; !ok {
			t.Fatalf("%s: no cloud %q", c.Name, c.Cloud)
		}
		byCloud[c.Cloud] = append(byCloud[c.Cloud], c)
	}
	for name, cloud := range clouds {
		if n := len(byCloud[name]); n < cloud.least {
			t.Errorf("%s: %d cases, want at least %d", name, n, cloud.least)
		}
	}
	return byCloud
}

// TestEvaluate holds Evaluate against what the files expect.
func TestEvaluate(t *testing.T) {
	for name, cases := range load(t) {
		for _, c := range cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				verdict := clouds[name].evaluate(t, c)
				codes := make([]string, 0, len(verdict.Findings))
				for _, f := range verdict.Findings {
					codes = append(codes, f.Code)
				}
				if verdict.Allowed != c.Allowed {
					t.Errorf("allowed: %v, want %v", verdict.Allowed, c.Allowed)
				}
				if diff := cmp.Diff(c.Codes, codes, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("codes (-want +got):\n%s", diff)
				}
				if t.Failed() {
					for _, f := range verdict.Findings {
						t.Log(f)
					}
				}
			})
		}
	}
}

// TestExchange holds the stand-ins, which evaluate documents by code of their own,
// against what the files expect.
func TestExchange(t *testing.T) {
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sign.Close)
	keys, err := sign.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	for name, cases := range load(t) {
		for _, c := range cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				token, issuers := c.token(t, sign, keys)
				if got := clouds[name].exchange(t, c, issuers, token); got != c.Allowed {
					t.Errorf("let in: %v, want %v", got, c.Allowed)
				}
			})
		}
	}
}

// token signs the case's claims, and says how the stand-in gets at the issuer's keys.
func (c Case) token(t *testing.T, sign *signer.Signer, keys json.RawMessage) (string, []cloudtrust.Issuer) {
	t.Helper()
	claims := map[string]any{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, c.Claims)
	token, err := sign.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	issuer, ok := claims["iss"].(string)
	if !ok || c.Unreachable {
		return token, nil
	}
	return token, []cloudtrust.Issuer{{URL: issuer, JWKS: keys}}
}
