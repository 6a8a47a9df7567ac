package azureapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/federation"
)

const (
	client     = "11111111-2222-3333-4444-5555abcdef00"
	another    = "22222222-2222-3333-4444-555555555555"
	uid        = "0f2c1f1e-pod-uid"
	appService = azureapi.Path + "?api-version=2019-08-01&resource=https://vault.azure.net"
	imds       = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
)

// entra gives one token, and remembers what it was asked for.
type entra struct {
	asked []string
	err   error
}

func (e *entra) handler() *azureapi.Handler {
	return &azureapi.Handler{
		AccessToken: func(_ context.Context, resource, claims string) (federation.Credential, error) {
			e.asked = append(e.asked, resource+" "+claims)
			return federation.Credential{Token: "eyJ.secret", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, e.err
		},
		ClientID: client, Secret: uid, Log: slog.New(slog.DiscardHandler),
	}
}

// ask sends a request as the SDKs do, with the header of the path's shape.
func ask(h *azureapi.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "127.0.0.1:9911"
	r.Header.Set("X-IDENTITY-HEADER", uid)
	r.Header.Set("Metadata", "true")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	var serve http.Handler = h
	if azureapi.IsIMDS(r.URL.Path) {
		serve = h.IMDS()
		r.Header.Del("X-IDENTITY-HEADER")
	} else {
		r.Header.Del("Metadata")
	}
	w := httptest.NewRecorder()
	serve.ServeHTTP(w, r)
	return w
}

// TestAnswer: byte for byte, half an hour after the token came.
func TestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock begins at 2000-01-01T00:00:00Z
		h := new(entra).handler()
		expiry := federation.ExpiresIn(time.Now(), time.Hour)
		h.AccessToken = func(context.Context, string, string) (federation.Credential, error) {
			return federation.Credential{Token: "eyJ.secret", Expiry: expiry}, nil
		}
		time.Sleep(30 * time.Minute)
		const want = `{"access_token":"eyJ.secret","client_id":"` + client + `","expires_in":"1800","expires_on":"946688400","not_before":"946684800","resource":"https://vault.azure.net","token_type":"Bearer"}` + "\n"
		for _, target := range []string{appService, imds} {
			got := ask(h, target)
			if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/json" {
				t.Errorf("status %d, Content-Type %q", got.Code, got.Header().Get("Content-Type"))
			}
			if diff := cmp.Diff(want, got.Body.String()); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// TestRoutings: the ways in which SDKs write one request; none follows a redirect.
func TestRoutings(t *testing.T) {
	const query = "?api-version=2018-02-01&resource=https://vault.azure.net"
	const challenge = `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	for name, test := range map[string]struct{ target, header, want string }{
		"App Service":               {appService, "", "https://vault.azure.net "},
		"its own client":            {appService + "&client_id=" + client, "", "https://vault.azure.net "},
		"in capitals":               {appService + "&client_id=" + strings.ToUpper(client), "", "https://vault.azure.net "},
		"an empty client":           {appService + "&client_id=", "", "https://vault.azure.net "},
		"IMDS":                      {imds, "", "https://vault.azure.net "},
		"IMDS, its own client":      {imds + "&client_id=" + client, "", "https://vault.azure.net "},
		"IMDS, JavaScript's slash":  {"/metadata/identity/oauth2/token/" + query, "", "https://vault.azure.net "},
		"IMDS, Java's two slashes":  {"http://127.0.0.1:9911//metadata/identity/oauth2/token" + query, "", "https://vault.azure.net "},
		"IMDS, capitals":            {"/METADATA/identity/oauth2/token" + query, "", "https://vault.azure.net "},
		"IMDS, its header's case":   {imds, "Metadata: True", "https://vault.azure.net "},
		"a resource with a slash":   {azureapi.Path + "?resource=https://storage.azure.com/", "", "https://storage.azure.com/ "},
		"a resource that is a GUID": {azureapi.Path + "?resource=00000003-0000-0000-c000-000000000000", "", "00000003-0000-0000-c000-000000000000 "},
		"a claims challenge":        {appService + "&claims=" + url.QueryEscape(challenge), "", "https://vault.azure.net " + challenge},
	} {
		t.Run(name, func(t *testing.T) {
			e := new(entra)
			got := ask(e.handler(), test.target, test.header)
			if diff := cmp.Diff([]string{test.want}, e.asked); got.Code != http.StatusOK || diff != "" {
				t.Errorf("status %d: %s", got.Code, diff)
			}
		})
	}
}

// TestRefused: in JSON with both shapes of error, and Entra is not asked.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		target, header string
		want           int
	}{
		"no secret":              {appService, "X-IDENTITY-HEADER: ", 401},
		"another secret":         {appService, "X-IDENTITY-HEADER: " + uid + "x", 401},
		"forwarded":              {appService, "X-Forwarded-For: 192.0.2.1", 403},
		"IMDS forwarded":         {imds, "X-Forwarded-For: 192.0.2.1", 403},
		"IMDS, no header":        {imds, "Metadata: ", 400},
		"IMDS, a header's no":    {imds, "Metadata: false", 400},
		"IMDS, a probe":          {"/metadata/identity/oauth2/token", "Metadata: ", 400},
		"platform metadata":      {"/metadata/identity/getplatformmetadata", "", 404},
		"IMDS, another path":     {"/metadata/identity/oauth2/tokens", "", 404},
		"IMDS, info":             {"/metadata/identity/info?resource=x", "", 404},
		"no resource":            {azureapi.Path, "", 400},
		"an empty resource":      {azureapi.Path + "?resource=", "", 400},
		"two resources":          {appService + "&resource=https://storage.azure.com", "", 400},
		"a long resource":        {azureapi.Path + "?resource=" + strings.Repeat("x", 1025), "", 400},
		"a resource of blanks":   {azureapi.Path + "?resource=https://a%20https://b", "", 400},
		"a line feed in it":      {azureapi.Path + "?resource=a%0A", "", 400},
		"claims that are text":   {appService + "&claims=x", "", 400},
		"claims that are a list": {appService + "&claims=[]", "", 400},
		"claims that are null":   {appService + "&claims=null", "", 400},
		"claims in base64":       {appService + "&claims=eyJhY2Nlc3NfdG9rZW4iOnt9fQ", "", 400},
		"claims twice":           {appService + "&claims={}&claims={}", "", 400},
		"long claims":            {appService + "&claims=" + url.QueryEscape(`{"x":"`+strings.Repeat("x", 4096)+`"}`), "", 400},
		"another client":         {appService + "&client_id=" + another, "", 400},
		"another client, second": {appService + "&client_id=" + client + "&client_id=" + another, "", 400},
		"a resource ID":          {appService + "&mi_res_id=/subscriptions/x", "", 400},
		"IMDS, a resource ID":    {imds + "&msi_res_id=/subscriptions/x", "", 400},
		"an object ID":           {appService + "&object_id=" + client, "", 400},
		"a principal ID":         {appService + "&principal_id=" + client, "", 400},
		"half a query":           {appService + "&client_id=" + another + ";x", "", 400},
	} {
		t.Run(name, func(t *testing.T) {
			e := new(entra)
			got := ask(e.handler(), test.target, test.header)
			if got.Code != test.want || len(e.asked) != 0 {
				t.Errorf("status %d, want %d; Entra was asked for %q", got.Code, test.want, e.asked)
			}
			checkError(t, got, test.want)
		})
	}
}

// checkError holds an answer to both shapes of error, and gives its fields.
func checkError(t *testing.T, got *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &fields); err != nil || got.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("not JSON, or not said to be: %v", err)
	}
	for _, name := range []string{"error", "error_description", "message"} {
		if s, ok := fields[name].(string); !ok || s == "" {
			t.Errorf("%s is %v", name, fields[name])
		}
	}
	if _, ok := fields["correlationId"].(string); !ok || fields["statusCode"] != float64(status) || len(fields) != 5 {
		t.Errorf("the fields are %v", fields)
	}
	if strings.Contains(got.Body.String(), "eyJ.secret") || strings.Contains(got.Body.String(), uid) {
		t.Error("the answer holds a secret")
	}
	return fields
}

// TestFailures: the statuses that make SDKs show a cause at once, or try again.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		code   string
		after  string
	}{
		"subject":      {&federation.Error{Cloud: "azure", Kind: federation.KindSubjectMismatch, Status: 401, Code: "AADSTS700213", Message: "why", RequestID: "c-1"}, 403, "AADSTS700213", ""},
		"audience":     {&federation.Error{Cloud: "azure", Kind: federation.KindAudienceMismatch, Status: 401, Code: "AADSTS700212", Message: "why", RequestID: "c-1"}, 400, "AADSTS700212", ""},
		"issuer":       {&federation.Error{Cloud: "azure", Kind: federation.KindIssuerUntrusted, Status: 401, Code: "AADSTS700211", Message: "why", RequestID: "c-1"}, 400, "AADSTS700211", ""},
		"expired":      {&federation.Error{Cloud: "azure", Kind: federation.KindTokenExpired, Status: 401, Code: "AADSTS700024", Message: "why", RequestID: "c-1"}, 400, "AADSTS700024", ""},
		"policy":       {&federation.Error{Cloud: "azure", Kind: federation.KindDenied, Status: 400, Code: "AADSTS53003", Message: "why", RequestID: "c-1"}, 403, "AADSTS53003", ""},
		"tenant":       {&federation.Error{Cloud: "azure", Kind: federation.KindConfig, Status: 400, Code: "AADSTS90002", Message: "why", RequestID: "c-1"}, 400, "AADSTS90002", ""},
		"throttled":    {&federation.Error{Cloud: "azure", Kind: federation.KindThrottled, Status: 429, Message: "why", RetryAfter: 17 * time.Second, RequestID: "c-1"}, 429, "Throttled", "17"},
		"down":         {&federation.Error{Cloud: "azure", Kind: federation.KindUnavailable, Status: 503, Message: "why", RequestID: "c-1"}, 503, "Unavailable", "1"},
		"gone":         {&federation.Error{Cloud: "azure", Kind: federation.KindCanceled, Message: "why", RequestID: "c-1"}, 503, "Canceled", "1"},
		"a surprise":   {io.ErrUnexpectedEOF, 503, "Unavailable", "1"},
		"no code":      {&federation.Error{Cloud: "azure", Kind: federation.KindConfig, Message: "why", RequestID: "c-1"}, 400, "Config", ""},
		"no such file": {&federation.Error{Kind: federation.KindConfig, Message: "why", RequestID: "c-1"}, 503, "Config", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{appService, imds} {
				got := ask((&entra{err: test.err}).handler(), target)
				fields := checkError(t, got, test.status)
				if got.Code != test.status || got.Header().Get("Retry-After") != test.after || fields["error"] != test.code {
					t.Errorf("%d %v, Retry-After %q; want %d %s, %q", got.Code, fields["error"], got.Header().Get("Retry-After"), test.status, test.code, test.after)
				}
				if e, ok := errors.AsType[*federation.Error](test.err); ok && (fields["correlationId"] != "c-1" || !strings.Contains(fields["message"].(string), e.Message)) {
					t.Errorf("the cause is lost: %v", fields)
				}
			}
		})
	}
}

func TestMethods(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodPut, http.MethodOptions} {
		e := new(entra)
		r := httptest.NewRequest(method, "http://127.0.0.1:9911"+azureapi.Path, nil)
		r.Header.Set("X-IDENTITY-HEADER", uid)
		w := httptest.NewRecorder()
		e.handler().ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" || len(e.asked) != 0 {
			t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

// TestNothingWaitsOn: once a request has its answer, nobody works for it any more.
func TestNothingWaitsOn(t *testing.T) {
	h := new(entra).handler()
	var given context.Context
	h.AccessToken = func(ctx context.Context, _, _ string) (federation.Credential, error) {
		given = ctx
		return federation.Credential{}, nil
	}
	if ask(h, appService); given.Err() == nil {
		t.Error("its context goes on")
	}
}

// TestLogIsNotFlooded: the same error is logged once a minute.
func TestLogIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		h := (&entra{err: &federation.Error{Cloud: "azure", Kind: federation.KindDenied, Message: "why"}}).handler()
		h.Log = slog.New(slog.NewTextHandler(&log, nil))
		for range 180 { // three minutes
			ask(h, appService)
			ask(h, imds)
			time.Sleep(time.Second)
		}
		if lines := regexp.MustCompile(`kind=Denied`).FindAllString(log.String(), -1); len(lines) != 3 {
			t.Errorf("%d lines in three minutes, want 3", len(lines))
		}
	})
}
