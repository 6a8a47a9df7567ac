package gcp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	ft "github.com/podpass-io/podpass/federation/federationtest"
	"github.com/podpass-io/podpass/federation/gcp"
)

const provider = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"

var identity = gcp.Identity{Provider: provider, ServiceAccount: "orders@example-project.iam.gserviceaccount.com"}

const federatedToken = "ya29.federated-token-of-some-length_AbCdEfGhIjKlMnOpQrStUvWxYz"

// federated gives every exchange the same federated token.
type federated struct{}

func (federated) Get(context.Context, federation.Exchanger) (federation.Credential, error) {
	return federation.Credential{Token: federatedToken, Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, nil
}

// TestSTSErrors: every row of STS's table.
func TestSTSErrors(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		code, text string
		kind       federation.Kind
		hint       []string
	}{
		"provider":             {400, "invalid_target", `The target service indicated by the "audience" parameters is invalid.`, federation.KindConfig, []string{provider, "by number"}},
		"request":              {400, "invalid_request", `Invalid value for "audience".`, federation.KindConfig, nil},
		"scopes":               {400, "invalid_request", "Scope(s) must be provided.", federation.KindConfig, nil},
		"audience":             {400, "invalid_grant", "The audience in ID Token [x] does not match the expected audience.", federation.KindAudienceMismatch, []string{"allowed audiences", ft.Audience, "its own name, https://iam.googleapis.com/projects/", "sts.googleapis.com", "gcp.audience"}},
		"private":              {400, "invalid_grant", "Error connecting to the given credential's issuer.", federation.KindIssuerUntrusted, []string{"upload its JWKS", ft.Issuer}},
		"stale":                {400, "invalid_grant", "ID Token issued at 1 is stale to sign-in.", federation.KindTokenExpired, []string{"24 h"}},
		"issuer":               {400, "invalid_grant", "The issuer in ID Token x does not match the expected one.", federation.KindIssuerUntrusted, []string{ft.Subject}},
		"key":                  {400, "invalid_grant", "key not found", federation.KindIssuerUntrusted, nil},
		"issuer, an odd URL":   {400, "invalid_grant", "The issuer in ID Token https://audience.example.com/expired does not match the expected ones.", federation.KindIssuerUntrusted, nil},
		"audience, an odd one": {400, "invalid_grant", "The audience in ID Token [https://issuer.example.com/stale-key] does not match the expected audience.", federation.KindAudienceMismatch, nil},
		"expired":              {400, "invalid_grant", "The ID token is expired.", federation.KindTokenExpired, nil},
		"signature":            {400, "invalid_grant", "The signature in the ID Token cannot be verified.", federation.KindIssuerUntrusted, []string{"whenever the keys change"}},
		"mapping":              {400, "invalid_grant", "The mapped attribute 'google.subject' must be of type STRING.", federation.KindConfig, []string{"attribute mapping", provider}},
		"condition":            {400, "unauthorized_client", "The given credential is rejected by the attribute condition.", federation.KindDenied, []string{"attribute condition", ft.Subject}},
		"throttled":            {429, "", "", federation.KindThrottled, nil},
		"down":                 {503, "", "", federation.KindUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: ft.Serve(t, ft.Answer{
				Status: test.status, Header: map[string]string{"Content-Type": "application/json", "Retry-After": "3"},
				Body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, test.code, test.text),
			})}}
			_, err := c.Federated().Exchange(t.Context())
			ft.Check(t, err, ft.Want{Kind: test.kind, Code: test.code, Message: test.text, Hint: test.hint, RetryAfter: 3 * time.Second})
		})
	}
}

// TestCommon: for both APIs.
func TestCommon(t *testing.T) {
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	t.Run("STS", ft.Cloud{
		Exchange: func(t *testing.T, a ft.Answer) error {
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: ft.Serve(t, a)}}
			_, err := c.Federated().Exchange(t.Context())
			return err
		},
		Says:  func(text string) string { return `{"error":"invalid_grant","error_description":` + quoted(text) + `}` },
		Sends: ft.Token{}.Raw(),
	}.Test)
	t.Run("IAM", ft.Cloud{
		Exchange: func(t *testing.T, a ft.Answer) error {
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, a)}}
			_, err := c.AccessToken(nil).Exchange(t.Context())
			return err
		},
		Says: func(text string) string {
			return `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":` + quoted(text) + `}}`
		},
		Sends: federatedToken,
	}.Test)
}

// TestUnreachable: nobody answers, nobody asks any more, and a token in the clear.
func TestUnreachable(t *testing.T) {
	const nobody = "http://127.0.0.1:1"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, endpoints := range map[string]func(url string) gcp.Endpoints{
		"STS": func(url string) gcp.Endpoints { return gcp.Endpoints{STS: url} },
		"IAM": func(url string) gcp.Endpoints { return gcp.Endpoints{IAMCredentials: url} },
	} {
		t.Run(name, func(t *testing.T) {
			exchange := func(ctx context.Context, url string) error {
				c := &gcp.Client{Identity: identity, Token: ft.Token{}, Endpoints: endpoints(url)}
				e := c.Federated()
				if name == "IAM" {
					c.Via, e = federated{}, c.AccessToken(nil)
				}
				_, err := e.Exchange(ctx)
				return err
			}
			err := exchange(t.Context(), nobody)
			ft.Check(t, err, ft.Want{Kind: federation.KindUnavailable, Message: "connection refused", Hint: []string{nobody, "network policy"}})
			if strings.Contains(err.Error(), "invalid response") {
				t.Errorf("nobody answered: %v", err)
			}
			if err := exchange(ctx, nobody); federation.KindOf(err) != federation.KindCanceled {
				t.Errorf("canceled: %v", err)
			}
			ft.Check(t, exchange(t.Context(), "http://[::1"), ft.Want{Kind: federation.KindConfig, Hint: []string{"no request was sent", "chart value gcp."}})
			ft.Check(t, exchange(t.Context(), "http://sts.example.com"), ft.Want{Kind: federation.KindConfig, Message: "must be https", Hint: []string{"chart value gcp."}})
		})
	}
}

// TestNoHint: of what passes by itself, whatever its text.
func TestNoHint(t *testing.T) {
	for status, kind := range map[int]federation.Kind{429: federation.KindThrottled, 503: federation.KindUnavailable} {
		url := ft.Serve(t, ft.Answer{Status: status, Body: `{"error":{"status":"INVALID_ARGUMENT","message":"the mapped attribute google.subject"}}`})
		c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{STS: url, IAMCredentials: url}}
		for _, e := range []federation.Exchanger{c.Federated(), c.AccessToken(nil)} {
			_, err := e.Exchange(t.Context())
			if got, ok := errors.AsType[*federation.Error](err); !ok || got.Kind != kind || got.Hint != "" {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
}

// TestRefusalWithAToken: what comes with a refusal is no credential.
func TestRefusalWithAToken(t *testing.T) {
	url := ft.Serve(t, ft.Answer{Status: 403, Body: fmt.Sprintf(`{"error":{"status":"PERMISSION_DENIED","message":"no"},"accessToken":"x","expireTime":"2099-01-01T00:00:00Z","token":%q}`, jwt(time.Now().Add(time.Hour)))})
	c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: url}}
	for _, e := range []federation.Exchanger{c.AccessToken(nil), c.IDToken("https://x.example.com")} {
		if _, err := e.Exchange(t.Context()); federation.KindOf(err) != federation.KindDenied {
			t.Errorf("%s: %v", e.Key(), err)
		}
	}
}

// TestNoProvider: STS has nobody to ask for; no request is made.
func TestNoProvider(t *testing.T) {
	c := &gcp.Client{Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: ft.Serve(t, ft.Answer{Status: 200})}}
	_, err := c.Federated().Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Hint: []string{"no request was sent"}})
}

// TestSTSFrontEnd: an error of Google's common model, as from before STS itself.
func TestSTSFrontEnd(t *testing.T) {
	for reason, want := range map[string]ft.Want{
		"USER_PROJECT_DENIED": {Kind: federation.KindConfig, Code: "USER_PROJECT_DENIED", Message: "Google's own words", Hint: []string{"serviceUsageConsumer"}},
		"SERVICE_DISABLED":    {Kind: federation.KindConfig, Code: "SERVICE_DISABLED", Message: "Google's own words", Hint: []string{"enable sts.googleapis.com"}},
		"RATE_LIMITED":        {Kind: federation.KindDenied, Code: "RATE_LIMITED", Message: "Google's own words", Hint: []string{"no attribute condition"}},
	} {
		c := &gcp.Client{Identity: identity, Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: ft.Serve(t, ft.Answer{
			Status: 403, Body: fmt.Sprintf(`{"error":{"code":403,"message":"Google's own words","status":"PERMISSION_DENIED","details":[{"reason":%q}]}}`, reason),
		})}}
		_, err := c.Federated().Exchange(t.Context())
		ft.Check(t, err, want)
	}
}

// TestIAMErrors: and those of IAM credentials.
func TestIAMErrors(t *testing.T) {
	for name, test := range map[string]struct {
		status               int
		code, reason, answer string
		kind                 federation.Kind
		hint                 []string
	}{
		"permission": {403, "PERMISSION_DENIED", "", "PERMISSION_DENIED", federation.KindDenied, []string{"roles/iam.workloadIdentityUser", "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/" + ft.Subject}},
		"disabled":   {403, "PERMISSION_DENIED", "SERVICE_DISABLED", "SERVICE_DISABLED", federation.KindConfig, []string{"enable iamcredentials"}},
		"argument":   {400, "INVALID_ARGUMENT", "", "INVALID_ARGUMENT", federation.KindConfig, nil},
		"quota":      {403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "USER_PROJECT_DENIED", federation.KindConfig, []string{"roles/serviceusage.serviceUsageConsumer", "podpass.io/gcp-quota-project"}},
		"throttled":  {429, "RESOURCE_EXHAUSTED", "", "RESOURCE_EXHAUSTED", federation.KindThrottled, nil},
		"down":       {503, "UNAVAILABLE", "", "UNAVAILABLE", federation.KindUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			details := ""
			if test.reason != "" {
				details = fmt.Sprintf(`,"details":[{"reason":%q}]`, test.reason)
			}
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, ft.Answer{
				Status: test.status, Body: fmt.Sprintf(`{"error":{"code":%d,"message":"Google's own words","status":%q%s}}`, test.status, test.code, details),
			})}}
			for _, e := range []federation.Exchanger{c.AccessToken(nil), c.IDToken("https://x.example.com")} {
				_, err := e.Exchange(t.Context())
				ft.Check(t, err, ft.Want{Kind: test.kind, Code: test.answer, Message: "Google's own words", Hint: test.hint})
			}
		})
	}
}

// TestRetryDelay: Google says in the body when to come back.
func TestRetryDelay(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 17 * time.Second, "3": 3 * time.Second} {
		c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, ft.Answer{
			Status: 400, Header: map[string]string{"Retry-After": header},
			Body: `{"error":{"status":"RESOURCE_EXHAUSTED","message":"too many","details":[{"reason":"RATE_LIMIT_EXCEEDED"},{"retryDelay":"17s"},{"retryDelay":"soon"}]}}`,
		})}}
		_, err := c.AccessToken(nil).Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindThrottled, Code: "RATE_LIMIT_EXCEEDED", Message: "too many", RetryAfter: want})
	}
}

// TestDelegates: which step of a chain Google refused it does not say.
func TestDelegates(t *testing.T) {
	chained := identity
	chained.Delegates = []string{"one@example-project.iam.gserviceaccount.com"}
	c := &gcp.Client{Identity: chained, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, ft.Answer{Status: 403, Body: `{"error":{"status":"PERMISSION_DENIED","message":"no"}}`})}}
	_, err := c.AccessToken(nil).Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindDenied, Code: "PERMISSION_DENIED", Message: "no", Hint: []string{
		"roles/iam.workloadIdentityUser on one@example-project.iam.gserviceaccount.com to principal://",
		"roles/iam.serviceAccountTokenCreator on orders@example-project.iam.gserviceaccount.com to one@example-project.iam.gserviceaccount.com",
	}})
}

// TestLongSubject: google.subject has a limit, and STS's text does not say whose.
func TestLongSubject(t *testing.T) {
	for n, want := range map[int]string{gcp.MaxSubject: "attribute mapping", gcp.MaxSubject + 1: "has 128 bytes, and Google takes 127"} {
		c := &gcp.Client{Identity: identity, Token: subject(strings.Repeat("s", n)), Endpoints: gcp.Endpoints{STS: ft.Serve(t, ft.Answer{
			Status: 400, Body: `{"error":"invalid_grant","error_description":"The size of mapped attribute google.subject exceeds the 127 bytes limit."}`,
		})}}
		_, err := c.Federated().Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: "invalid_grant", Message: "google.subject", Hint: []string{want}})
	}
	c := &gcp.Client{Identity: identity, Token: subject(strings.Repeat("s", gcp.MaxSubject+1)), Endpoints: gcp.Endpoints{STS: ft.Serve(t, ft.Answer{Status: 400, Body: `{"error":"invalid_target","error_description":"no such provider"}`})}}
	_, err := c.Federated().Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: "invalid_target", Message: "no such provider", Hint: []string{"by number"}})
}

// subject is the token of a subject.
type subject string

func (s subject) SubjectToken(context.Context) (federation.SubjectToken, error) {
	part := base64.RawURLEncoding.EncodeToString
	return federation.ParseSubjectToken([]byte(part([]byte("{}")) + "." + part(fmt.Appendf(nil, `{"sub":%q,"exp":99999999999}`, string(s))) + ".c2ln"))
}

// TestFailuresOnTheWay: without the federated token, or the subject token, there is
// nothing to ask with.
func TestFailuresOnTheWay(t *testing.T) {
	iam := ft.Serve(t, ft.Answer{Status: 200, Body: `{}`})
	c := &gcp.Client{Identity: identity, Token: ft.Token{}, Endpoints: gcp.Endpoints{IAMCredentials: iam, STS: ft.Serve(t, ft.Answer{Status: 400, Body: `{"error":"invalid_target","error_description":"no such provider"}`})}}
	for _, e := range []federation.Exchanger{c.AccessToken(nil), c.IDToken("a")} {
		_, err := e.Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: "invalid_target", Message: "no such provider"})
	}
	c.Token = federation.TokenFile("/does/not/exist")
	for _, e := range []federation.Exchanger{c.Federated(), c.AccessToken(nil)} {
		_, err := e.Exchange(t.Context())
		if e, ok := errors.AsType[*federation.Error](err); !ok || !e.Local() {
			t.Errorf("no token: %v", err)
		}
	}
	// The federated token is held; the file only names the subject in the hint.
	c.Via = federated{}
	c.Endpoints.IAMCredentials = ft.Serve(t, ft.Answer{Status: 404, Body: `{"error":{"status":"NOT_FOUND","message":"Unknown service account"}}`})
	_, err := c.AccessToken(nil).Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: "NOT_FOUND", Message: "Unknown", Hint: []string{identity.ServiceAccount, "exists"}})
}

// TestLongLifetime: what STS says of it names no annotation.
func TestLongLifetime(t *testing.T) {
	for name, test := range map[string]struct {
		lifetime int
		status   string
	}{"an hour": {3600, "INVALID_ARGUMENT"}, "another cause": {43200, "NOT_FOUND"}} {
		i := identity
		i.TokenLifetime = test.lifetime
		c := &gcp.Client{Identity: i, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, ft.Answer{Status: 400, Body: `{"error":{"message":"no","status":"` + test.status + `"}}`})}}
		_, err := c.AccessToken(nil).Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: test.status, Message: "no", Hint: []string{"check that service account"}})
		if strings.Contains(err.Error(), "organisation policy") {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := identity
	long.TokenLifetime = 43200
	c := &gcp.Client{Identity: long, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: ft.Serve(t, ft.Answer{
		Status: 400, Body: `{"error":{"code":400,"message":"The access token lifetime cannot exceed 3600 seconds","status":"INVALID_ARGUMENT"}}`,
	}) + "/"}}
	_, err := c.AccessToken(nil).Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Code: "INVALID_ARGUMENT", Message: "cannot exceed", Hint: []string{"podpass.io/gcp-token-lifetime", "allowServiceAccountCredentialLifetimeExtension"}})
}

func TestNoIDTokenUnderDirectAccess(t *testing.T) {
	c := &gcp.Client{Identity: gcp.Identity{Provider: provider}, Token: ft.Token{}}
	if _, err := c.IDToken("https://x.example.com").Exchange(t.Context()); !errors.Is(err, gcp.ErrNoIDToken) {
		t.Errorf("got %v", err)
	}
}

func TestKeys(t *testing.T) {
	c := &gcp.Client{Identity: identity}
	if a, b := c.AccessToken([]string{"b", "a", "a"}).Key(), c.AccessToken([]string{"a", "b"}).Key(); a != b {
		t.Errorf("the order of scopes makes another key: %s, %s", a, b)
	}
	if a, b := c.AccessToken([]string{"a"}).Key(), c.AccessToken([]string{"b"}).Key(); a == b {
		t.Errorf("two scopes have one key: %s", a)
	}
	scopes := []string{"b", "a"}
	if c.AccessToken(scopes); scopes[0] != "b" {
		t.Errorf("the caller's scopes are now %q", scopes)
	}
	if a, b := c.IDToken("a").Key(), c.IDToken("b").Key(); a == b {
		t.Errorf("two audiences have one key: %s", a)
	}
}
