package people

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLogin: what the provider's ID token says of a person who logs in and consents in a
// real browser, by both flows, and that each token is got once by each of them.
func TestLogin(t *testing.T) {
	w := newWorld(t)
	issuer := w.url + "/realms/prod"
	for flow, grant := range map[string]string{"authcode": "authorization_code", "device-code": "urn:ietf:params:oauth:grant-type:device_code"} {
		t.Run(flow, func(t *testing.T) {
			token := w.token(t, "ada", "--grant-type="+flow, "--oidc-issuer-url="+issuer, "--oidc-client-id=kubernetes-prod-eu", "--oidc-extra-scope=email,groups")
			payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]any{}
			if err := json.Unmarshal(payload, &got); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"iat", "exp", "nonce", "at_hash", "sid", "auth_time"} {
				delete(got, name)
			}
			want := map[string]any{
				"iss": issuer, "aud": "kubernetes-prod-eu", "sub": "ada", "tid": "acme", "hd": "acme.example",
				"email": "ada@acme.example", "email_verified": true, "groups": []any{"developers"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if n := len(w.said("granted " + issuer + " kubernetes-prod-eu " + grant)); n != 1 {
				t.Errorf("%d tokens by %s", n, grant)
			}
		})
	}
	if w.logins != 2 {
		t.Errorf("the browser opened %d times", w.logins)
	}
}

// TestLeaving: who is at the provider no more is given no other token, neither by the
// refresh token nor by logging in.
func TestLeaving(t *testing.T) {
	w := newWorld(t)
	get := "kubectl-oidc_login get-token --oidc-issuer-url=" + w.url + "/realms/prod --oidc-client-id=kubernetes-prod-eu --certificate-authority=login-ca.crt" +
		" --oidc-extra-scope=offline_access --oidc-auth-request-extra-params=prompt=consent"
	w.state.IDTokenSeconds = 10
	w.save(t)
	if out, err := w.run(t, "ken", get); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	delete(w.state.Accounts, "ken")
	w.save(t)
	eventually(t, "Ken's token ends", func() bool { _, err := w.run(t, "ken", get); return err != nil })
	if w.logins != 2 {
		t.Errorf("the browser opened %d times; once to log in, and once in vain", w.logins)
	}
	if said := strings.Join(w.said("grant.error"), "\n"); !strings.Contains(said, "invalid_grant") {
		t.Errorf("the provider did not refuse the refresh token: %s", said)
	}
}
