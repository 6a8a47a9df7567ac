package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	ft "github.com/podpass-io/podpass/federation/federationtest"
	"github.com/podpass-io/podpass/federation/oidc"
)

func TestParseAudience(t *testing.T) {
	long := strings.Repeat("x", 257)
	for text, want := range map[string]oidc.Audience{
		"vault":                            {Name: "vault", Audience: "vault"},
		"vault=https://vault.example.com":  {Name: "vault", Audience: "https://vault.example.com"},
		"a=b=c":                            {Name: "a", Audience: "b=c"},
		"a=" + long[:256]:                  {Name: "a", Audience: long[:256]},
		"x=https://x.example.com/?a=b&c=d": {Name: "x", Audience: "https://x.example.com/?a=b&c=d"},
	} {
		if got, err := oidc.ParseAudience(text); err != nil || got != want {
			t.Errorf("%s: %+v, want %+v: %v", text, got, want, err)
		}
	}
	for text, says := range map[string]string{
		"":                          "not an audience",
		"https://vault.example.com": "name of a file",
		"Vault":                     "name of a file",
		"..":                        "name of a file",
		"https://x.example.com/?a=": "name of a file", // what stands before = is none either
		"../x=vault":                "name of a file",
		"vault=":                    "not an audience",
		"vault=a b":                 "not an audience",
		"vault=a\nb":                "not an audience",
		"vault=ü":                   "not an audience",
		"vault=" + long:             "not an audience",
		strings.Repeat("x", 33):     "name of a file",
	} {
		if got, err := oidc.ParseAudience(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, %v; want %q", text, got, err, says)
		}
	}
}

func TestValidate(t *testing.T) {
	good := oidc.Source{Name: "artifactory", TokenURL: "https://artifactory.example.com/token", Audience: "artifactory"}
	for says, change := range map[string]func(*oidc.Source){
		"":                      func(*oidc.Source) {},
		"the name":              func(s *oidc.Source) { s.Name = "a/b" },
		"tokenURL: endpoint":    func(s *oidc.Source) { s.TokenURL = "http://artifactory.example.com/token" },
		"audience: ":            func(s *oidc.Source) { s.Audience = "" },
		"grant: \"password\"":   func(s *oidc.Source) { s.Grant = "password" },
		"clientID: required":    func(s *oidc.Source) { s.Grant = oidc.ClientCredentials },
		"parameters.grant_type": func(s *oidc.Source) { s.Parameters = map[string]string{"grant_type": "x"} },
		"parameters: \"a b\"":   func(s *oidc.Source) { s.Parameters = map[string]string{"a b": "x"} },
		"parameters: more than": func(s *oidc.Source) { s.Parameters = parameters(17) },
		"is not the name of a":  func(s *oidc.Source) { s.Parameters = map[string]string{strings.Repeat("x", 257): "x"} },
		"encoding: \"xml\"":     func(s *oidc.Source) { s.Encoding = "xml" },
		"parameters.x: longer":  func(s *oidc.Source) { s.Parameters = map[string]string{"x": strings.Repeat("x", 1025)} },
	} {
		s := good
		change(&s)
		if err := s.Validate(); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
	for name, change := range map[string]func(*oidc.Source){
		"token exchange":     func(s *oidc.Source) { s.Grant, s.Encoding = oidc.TokenExchange, oidc.Form },
		"JWT bearer":         func(s *oidc.Source) { s.Grant, s.Encoding = oidc.JWTBearer, oidc.JSON },
		"client credentials": func(s *oidc.Source) { s.Grant, s.ClientID = oidc.ClientCredentials, "podpass" },
		"many parameters":    func(s *oidc.Source) { s.Parameters = parameters(16) },
		"long ones": func(s *oidc.Source) {
			s.Parameters = map[string]string{strings.Repeat("x", 256): strings.Repeat("x", 1024)}
		},
	} {
		s := good
		change(&s)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (oidc.Source{}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all problems at once: %v", err)
	}
}

// parameters are n of them.
func parameters(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprint("p", i)] = "x"
	}
	return all
}

// TestRequests: every field, by grant.
func TestRequests(t *testing.T) {
	token := ft.Token{}.Raw()
	for name, test := range map[string]struct {
		source oidc.Source
		want   url.Values
	}{
		"token exchange": {oidc.Source{}, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		}},
		"token exchange, all": {oidc.Source{Grant: oidc.TokenExchange, ClientID: "podpass", Scope: "read write", Parameters: map[string]string{"subject_token_type": "urn:ietf:params:oauth:token-type:id_token", "provider_name": "cluster"}}, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token}, "subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
			"client_id": {"podpass"}, "scope": {"read write"}, "provider_name": {"cluster"},
		}},
		"JWT bearer": {oidc.Source{Grant: oidc.JWTBearer, Scope: "read"}, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token}, "scope": {"read"},
		}},
		"client credentials": {oidc.Source{Grant: oidc.ClientCredentials, ClientID: "orders", Parameters: map[string]string{"resource": "https://api.example.com"}}, url.Values{
			"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token},
			"client_id": {"orders"}, "resource": {"https://api.example.com"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got ft.Recorder
			test.source.TokenURL = got.Serve(t, `{"access_token":"at","token_type":"Bearer","expires_in":600}`)
			credential, err := (&oidc.Client{Source: test.source, Token: ft.Token{}}).AccessToken().Exchange(t.Context())
			if err != nil || credential.Token != "at" {
				t.Fatalf("%v", err)
			}
			form, err := url.ParseQuery(got.Body)
			if err != nil || got.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				t.Fatalf("%s: %v", got.Header.Get("Content-Type"), err)
			}
			if diff := cmp.Diff(test.want, form); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.Header.Get("Authorization") != "" || got.Header.Get("Accept") != "application/json" {
				t.Errorf("headers %v", slices.Sorted(maps.Keys(got.Header)))
			}
		})
	}
}

// TestJSON: the same fields, for servers that want them so.
func TestJSON(t *testing.T) {
	var server ft.Recorder
	c := &oidc.Client{Token: ft.Token{}, Source: oidc.Source{TokenURL: server.Serve(t, `{"access_token":"at","expires_in":600}`), Encoding: oidc.JSON, Parameters: map[string]string{"provider_name": "cluster"}}}
	if _, err := c.AccessToken().Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(server.Body), &got); err != nil || server.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %v", server.Header.Get("Content-Type"), err)
	}
	want := map[string]string{
		"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": ft.Token{}.Raw(),
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "provider_name": "cluster",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestLife: by the server's word, the token's, or neither; of a token that is issued in
// three hours, by a clock that is behind, no more than its own length, and a minute.
func TestLife(t *testing.T) {
	ahead := time.Now().Add(3 * time.Hour).Unix()
	token := func(claims string, args ...any) string {
		return `{"access_token":"e30.` + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, claims, args...)) + `.c2ln"}`
	}
	for name, test := range map[string]struct {
		answer string
		want   time.Duration
	}{
		"a fraction":      {`{"access_token":"at","expires_in":600.0}`, 10 * time.Minute},
		"an empty string": {`{"access_token":"at","expires_in":""}`, 5 * time.Minute},
		"a number":        {`{"access_token":"at","expires_in":600}`, 10 * time.Minute},
		"a string":        {`{"access_token":"at","expires_in":"600"}`, 10 * time.Minute},
		"for ever":        {`{"access_token":"at","expires_in":99999999999}`, 24 * time.Hour},
		"nothing":         {`{"access_token":"at"}`, 5 * time.Minute},
		"zero":            {`{"access_token":"at","expires_in":0}`, 5 * time.Minute},
		"a clock behind":  {token(`{"iat":%d,"exp":%d}`, ahead, ahead+3600), 61 * time.Minute},
		"the token's own": {token(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()), time.Hour},
		"a mad issue":     {token(`{"iat":%d,"exp":%d}`, ahead+1, ahead), 3 * time.Hour},
		"an end long ago": {token(`{"exp":1}`), 5 * time.Minute},
		"a second":        {`{"access_token":"at","expires_in":1}`, time.Second},
		"no number":       {`{"access_token":"at","expires_in":1e999}`, 5 * time.Minute},
	} {
		var got ft.Recorder
		c := &oidc.Client{Source: oidc.Source{TokenURL: got.Serve(t, test.answer)}, Token: ft.Token{}}
		credential, err := c.AccessToken().Exchange(t.Context())
		if life := credential.Expiry.Life(); err != nil || life < test.want-2*time.Second || life > test.want {
			t.Errorf("%s: %s, want %s: %v", name, life, test.want, err)
		}
	}
}

// TestErrors: every row of the table, and answers that are no OAuth error.
func TestErrors(t *testing.T) {
	both := []string{ft.Subject, ft.Audience, ft.Issuer}
	for code, test := range map[string]struct {
		status int
		kind   federation.Kind
		hint   []string
	}{
		"invalid_request":         {400, federation.KindIssuerUntrusted, append([]string{"oidc.tokenSources.artifactory"}, both...)}, // RFC 8693's word for a token that is no good
		"invalid_scope":           {400, federation.KindConfig, nil},
		"invalid_target":          {400, federation.KindConfig, nil},
		"unsupported_grant_type":  {400, federation.KindConfig, nil},
		"invalid_grant":           {400, federation.KindIssuerUntrusted, both},
		"invalid_client":          {401, federation.KindDenied, both},
		"unauthorized_client":     {400, federation.KindDenied, both},
		"access_denied":           {403, federation.KindDenied, both},
		"slow_down":               {400, federation.KindThrottled, nil},
		"server_error":            {400, federation.KindUnavailable, nil},
		"temporarily_unavailable": {400, federation.KindUnavailable, nil},
		"something_new":           {403, federation.KindDenied, nil},
		"throttled":               {429, federation.KindThrottled, nil},
		"down":                    {503, federation.KindUnavailable, nil},
		"gone":                    {404, federation.KindConfig, nil},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := &oidc.Client{Token: ft.Token{}, Source: oidc.Source{Name: "artifactory", TokenURL: ft.Serve(t, ft.Answer{
				Status: test.status, Header: map[string]string{"Retry-After": "7"},
				Body: fmt.Sprintf(`{"error":%q,"error_description":"the server's own words"}`, code),
			})}}
			_, err := c.AccessToken().Exchange(t.Context())
			ft.Check(t, err, ft.Want{Kind: test.kind, Code: code, Message: "the server's own words", Hint: test.hint, RetryAfter: 7 * time.Second})
			if strings.Contains(err.Error(), "; or the administrator checks") != (code == "invalid_request") {
				t.Errorf("whose fault: %v", err)
			}
		})
	}
	for grant, kind := range map[oidc.Grant]federation.Kind{oidc.JWTBearer: federation.KindDenied, oidc.ClientCredentials: federation.KindIssuerUntrusted} {
		c := &oidc.Client{Token: ft.Token{}, Source: oidc.Source{Grant: grant, TokenURL: ft.Serve(t, ft.Answer{Status: 401, Body: `{"error":"invalid_client"}`})}}
		if _, err := c.AccessToken().Exchange(t.Context()); federation.KindOf(err) != kind {
			t.Errorf("invalid_client by %s: %v", grant, err)
		}
	}
	c := &oidc.Client{Token: ft.Token{}, Source: oidc.Source{TokenURL: "http://oauth.example.com"}}
	if _, err := c.AccessToken().Exchange(t.Context()); federation.KindOf(err) != federation.KindConfig {
		t.Errorf("a token in the clear: %v", err)
	}
	c.Source.TokenURL = "http://[::1"
	_, err := c.AccessToken().Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Hint: []string{"no request was sent"}})
	c.Token = federation.TokenFile("/does/not/exist")
	if _, err := c.AccessToken().Exchange(t.Context()); federation.KindOf(err) != federation.KindConfig || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a token to trade: %v", err)
	}
}

// TestOtherAnswers: servers that do not speak RFC 6749; what can be read of them is
// shown, cut, and without the token that they may repeat.
func TestOtherAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		answer ft.Answer
		kind   federation.Kind
		says   string
	}{
		"a proxy's page":      {ft.Answer{Status: 502, Body: "<html>bad gateway</html>"}, federation.KindUnavailable, "bad gateway"},
		"success, not JSON":   {ft.Answer{Status: 200, Body: "}{"}, federation.KindUnavailable, "no access_token"},
		"success, no token":   {ft.Answer{Status: 200, Body: "{}"}, federation.KindUnavailable, "no access_token"},
		"success, an error":   {ft.Answer{Status: 200, Body: `{"error":"invalid_scope","error_description":"no such scope"}`}, federation.KindConfig, "no such scope"},
		"created":             {ft.Answer{Status: 201, Body: "{}"}, federation.KindUnavailable, "no access_token"},
		"another's token":     {ft.Answer{Status: 200, Body: `{"id_token":"` + ft.Token{}.Raw() + `x"}`}, federation.KindUnavailable, "no access_token"},
		"JFrog's errors":      {ft.Answer{Status: 400, Body: `{"errors":[{"code":"BAD_REQUEST","message":"Invalid audience"}]}`}, federation.KindDenied, "Invalid audience"},
		"an object of error":  {ft.Answer{Status: 403, Body: `{"error":{"code":7},"error_description":"no such user"}`}, federation.KindDenied, "no such user"},
		"nothing":             {ft.Answer{Status: 403}, federation.KindDenied, "no text that can be read"},
		"no UTF-8":            {ft.Answer{Status: 403, Body: "\xff"}, federation.KindDenied, "no text that can be read"},
		"control characters":  {ft.Answer{Status: 403, Body: "\x00"}, federation.KindDenied, "no text that can be read"},
		"plain text":          {ft.Answer{Status: 403, Body: "no such\n user"}, federation.KindDenied, "no such  user"},
		"refused with a gift": {ft.Answer{Status: 403, Body: `{"error":"access_denied","access_token":"at"}`}, federation.KindDenied, "access_denied"},
		"bytes":               {ft.Answer{Status: 403, Body: "\x00\xff"}, federation.KindDenied, "no text that can be read"},
		"the token again":     {ft.Answer{Status: 400, Body: `{"error":"invalid_grant","error_description":"cannot verify ` + ft.Token{}.Raw() + `"}`}, federation.KindIssuerUntrusted, "cannot verify [redacted]"},
		"a book":              {ft.Answer{Status: 400, Body: `{"error":"invalid_grant","error_description":"` + strings.Repeat("x", 100_000) + `"}`}, federation.KindIssuerUntrusted, "xxx..."},
	} {
		t.Run(name, func(t *testing.T) {
			c := &oidc.Client{Token: ft.Token{}, Source: oidc.Source{TokenURL: ft.Serve(t, test.answer)}}
			_, err := c.AccessToken().Exchange(t.Context())
			if federation.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
			if len(err.Error()) > 3000 || strings.Contains(err.Error(), ft.Token{}.Raw()) {
				t.Errorf("%d bytes: %.2000s", len(err.Error()), err)
			}
		})
	}
}

func TestCommon(t *testing.T) {
	ft.Cloud{
		Exchange: func(t *testing.T, a ft.Answer) error {
			_, err := (&oidc.Client{Token: ft.Token{}, Source: oidc.Source{Name: "artifactory", TokenURL: ft.Serve(t, a)}}).AccessToken().Exchange(t.Context())
			return err
		},
		Says: func(text string) string {
			b, err := json.Marshal(map[string]string{"error": "invalid_grant", "error_description": text})
			if err != nil {
				t.Error(err)
			}
			return string(b)
		},
		Sends: ft.Token{}.Raw(),
	}.Test(t)
}

// TestRedirect: the token does not follow, and the error says so to the administrator.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	client, err := endpoint.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	c := &oidc.Client{Token: ft.Token{}, HTTP: client, Source: oidc.Source{TokenURL: ft.Serve(t, ft.Answer{Status: 307, Header: map[string]string{"Location": elsewhere.URL}})}}
	if _, err := c.AccessToken().Exchange(t.Context()); federation.KindOf(err) != federation.KindConfig || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("%v", err)
	}
}

func TestKeyNamesEveryInput(t *testing.T) {
	seen := map[string]int{}
	for i, s := range []oidc.Source{
		{}, {Name: "a"}, {TokenURL: "u"}, {Audience: "x"}, {Grant: oidc.JWTBearer}, {ClientID: "c"}, {Scope: "s"}, {Encoding: oidc.JSON},
		{Parameters: map[string]string{"a": "b"}}, {Parameters: map[string]string{"a": "c"}},
	} {
		key := (&oidc.Client{Source: s}).AccessToken().Key()
		if other, ok := seen[key]; ok {
			t.Errorf("sources %d and %d have the same key", other, i)
		}
		seen[key] = i
	}
}
