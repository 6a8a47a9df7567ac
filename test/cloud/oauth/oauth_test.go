package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/oauth"
	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const exchange = "urn:ietf:params:oauth:grant-type:token-exchange"

// TestToken: what is given, and what is refused, each with RFC 6749's code.
func TestToken(t *testing.T) {
	i, stranger := issuer.Start(t), issuer.Start(t)
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &oauth.Server{
		Trust:    trust.OAuth{Issuer: i.URL, Audience: "registry", Subjects: []string{"system:serviceaccount:shop:*"}, User: "robot", ClientID: "podpass", Scopes: []string{"pull"}, Require: map[string]string{"provider_name": "cluster"}},
		Verifier: trust.NewVerifier([]trust.Issuer{i.Trust(), stranger.Trust()}), Signer: sign,
	}
	good := issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: "registry"}
	token := func(from *issuer.Issuer, change func(*issuer.Claims)) string {
		c := good
		if change != nil {
			change(&c)
		}
		return from.Token(t, c)
	}
	valid := token(i, nil)
	for name, test := range map[string]struct {
		form   string
		token  string
		status int
		code   string
	}{
		"exchange":              {"", valid, 200, ""},
		"exchange, ID token":    {"subject_token_type=urn:ietf:params:oauth:token-type:id_token", valid, 200, ""},
		"exchange, scope":       {"scope=pull", valid, 200, ""},
		"bearer":                {"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=" + valid, "", 200, ""},
		"client":                {"grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=" + valid, "", 200, ""},
		"bearer, bad":           {"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x", "", 400, "invalid_grant"},
		"client, bad":           {"grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=x", "", 401, "invalid_client"},
		"client, no type":       {"grant_type=client_credentials&client_assertion=" + valid, "", 401, "invalid_client"},
		"another grant":         {"grant_type=password", valid, 400, "unsupported_grant_type"},
		"another token type":    {"subject_token_type=urn:ietf:params:oauth:token-type:saml2", valid, 400, "invalid_request"},
		"another scope":         {"scope=push", valid, 400, "invalid_scope"},
		"another client":        {"client_id=x", valid, 401, "invalid_client"},
		"another field":         {"provider_name=x", valid, 400, "invalid_target"},
		"no token":              {"", "", 400, "invalid_request"},
		"no JWT":                {"", "x", 400, "invalid_request"},
		"another issuer":        {"", token(stranger, nil), 400, "invalid_request"},
		"another audience":      {"", token(i, func(c *issuer.Claims) { c.Audience = "x" }), 400, "invalid_request"},
		"another subject":       {"", token(i, func(c *issuer.Claims) { c.Namespace = "x" }), 400, "invalid_request"},
		"an expired token":      {"", token(i, func(c *issuer.Claims) { c.IssuedAt = time.Now().Add(-2 * time.Hour) }), 400, "invalid_request"},
		"another's signature":   {"", valid[:strings.LastIndexByte(valid, '.')] + token(stranger, nil)[strings.LastIndexByte(token(stranger, nil), '.'):], 400, "invalid_request"},
		"two tokens":            {"subject_token=" + valid + "&subject_token=x", "", 400, "invalid_request"},
		"half an escape (body)": {"%", "", 400, "invalid_request"},
	} {
		form := url.Values{"grant_type": {exchange}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"}, "client_id": {"podpass"}, "provider_name": {"cluster"}}
		body := test.form
		if more, err := url.ParseQuery(test.form); err == nil {
			if test.token != "" {
				form.Set("subject_token", test.token)
			}
			for k, v := range more {
				form[k] = v
			}
			body = form.Encode()
		}
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var got struct {
			Error       string `json:"error"`
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != test.status || got.Error != test.code || (got.AccessToken != "") != (test.status == 200) {
			t.Errorf("%s: %d %s: %v", name, w.Code, w.Body, err)
		}
		if got.AccessToken == "" {
			continue
		}
		r = httptest.NewRequest(http.MethodGet, "/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+got.AccessToken)
		w = httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"sub":"robot"`) {
			t.Errorf("%s: it is not known again: %d %s", name, w.Code, w.Body)
		}
	}
}
