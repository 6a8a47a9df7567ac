package gcpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

const (
	provider  = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	cluster   = "identitynamespace:example-project.svc.id.goog:https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/shop"
	account   = "orders@example-project.iam.gserviceaccount.com"
	principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders"
	v1        = "/computeMetadata/v1/"
	accounts  = v1 + "instance/service-accounts/"
)

// cloud gives tokens that name what they are for, and counts.
type cloud struct {
	asked  []string
	err    error
	answer federation.Secret
}

func (c *cloud) give(what string) (federation.Credential, error) {
	c.asked = append(c.asked, what)
	return federation.Credential{Token: c.answer, Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, c.err
}

func handler(id gcp.Identity, c *cloud) *gcpapi.Handler {
	return &gcpapi.Handler{
		AccessToken: func(_ context.Context, scopes []string) (federation.Credential, error) {
			return c.give("access " + strings.Join(scopes, "+"))
		},
		IDToken: func(_ context.Context, audience string) (federation.Credential, error) {
			return c.give("id " + audience)
		},
		Principal: func(context.Context) string { return principal },
		Identity:  id, Log: slog.New(slog.DiscardHandler),
	}
}

func ask(h http.Handler, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9911"+target, nil)
	r.Header.Set("Metadata-Flavor", "Google")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(r *http.Response) string {
	var b strings.Builder
	_ = r.Write(&b) // a strings.Builder takes all
	_, text, _ := strings.Cut(b.String(), "\r\n\r\n")
	return text
}

// TestTree: every value, listing and recursive listing, by what Google documents of
// the metadata server's answers.
func TestTree(t *testing.T) {
	impersonating := gcp.Identity{Provider: provider, ServiceAccount: account, Project: "example-project"}
	const (
		scope       = `"https://www.googleapis.com/auth/cloud-platform"`
		description = `{"aliases":["default"],"email":"` + account + `","scopes":[` + scope + `]}`
		instance    = `{"serviceAccounts":{"default":` + description + `,"` + account + `":` + description + `}}`
		project     = `{"numericProjectId":123456789012,"projectId":"example-project"}`
		universe    = `{"universeDomain":"googleapis.com"}`
		inText      = "aliases default\nemail " + account + "\nscopes https://www.googleapis.com/auth/cloud-platform\n"
	)
	const isText, isJSON = "application/text", "application/json"
	for target, want := range map[string]struct{ contentType, body string }{
		"/computeMetadata/":               {isText, "v1/\n"},
		v1:                                {isText, "instance/\nproject/\nuniverse/\n"},
		v1 + "instance/":                  {isText, "service-accounts/\n"},
		accounts:                          {isText, "default/\n" + account + "/\n"},
		accounts + "default/":             {isText, "aliases\nemail\nidentity\nscopes\ntoken\n"},
		accounts + account + "/":          {isText, "aliases\nemail\nidentity\nscopes\ntoken\n"},
		accounts + "default/aliases":      {isText, "default\n"},
		accounts + "default/email":        {isText, account},
		accounts + account + "/email":     {isText, account},
		accounts + "default/scopes":       {isText, "https://www.googleapis.com/auth/cloud-platform\n"},
		v1 + "project/":                   {isText, "numeric-project-id\nproject-id\n"},
		v1 + "project/project-id":         {isText, "example-project"},
		v1 + "project/numeric-project-id": {isText, "123456789012"},
		v1 + "universe/":                  {isText, "universe-domain\n"},
		v1 + "universe/universe-domain":   {isText, "googleapis.com"},
		v1 + "universe/universe_domain":   {isText, "googleapis.com"},

		v1 + "?recursive=true":                        {isJSON, `{"instance":` + instance + `,"project":` + project + `,"universe":` + universe + "}\n"},
		v1 + "instance/?recursive=true":               {isJSON, instance + "\n"},
		v1 + "project/?recursive=true":                {isJSON, project + "\n"},
		v1 + "project?recursive=true":                 {isJSON, project + "\n"}, // no redirect: Node follows none
		accounts + "default/?recursive=true":          {isJSON, description + "\n"},
		accounts + "default/?recursive=True":          {isJSON, description + "\n"}, // gcloud's spelling
		accounts + account + "/?recursive=true":       {isJSON, description + "\n"},
		accounts + "default?recursive=true":           {isJSON, description + "\n"},
		accounts + "default/?recursive=true&alt=text": {isText, inText},
		v1 + "universe/?recursive=true&alt=text":      {isText, "universe-domain googleapis.com\n"},
		v1 + "project/?recursive=true&alt=text":       {isText, "numeric-project-id 123456789012\nproject-id example-project\n"},
		v1 + "project/?recursive=true&alt=json":       {isJSON, project + "\n"},
		accounts + "default/email?alt=json":           {isJSON, `"` + account + "\"\n"},
		accounts + "default/email?alt=text":           {isText, account},
		accounts + "default/scopes?alt=json":          {isJSON, `[` + scope + "]\n"},
		v1 + "project/numeric-project-id?alt=json":    {isJSON, "123456789012\n"},
		v1 + "project/?alt=json":                      {isJSON, `["numeric-project-id","project-id"]` + "\n"},
		v1 + "project/project-id?unknown=parameter":   {isText, "example-project"},
	} {
		t.Run(target, func(t *testing.T) {
			got := ask(handler(impersonating, new(cloud)), target)
			if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != want.contentType {
				t.Errorf("status %d, Content-Type %q", got.StatusCode, got.Header.Get("Content-Type"))
			}
			if diff := cmp.Diff(want.body, body(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInstance: what the broker was configured with about the machine.
func TestInstance(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider, ServiceAccount: account}, new(cloud))
	h.Instance = gcpapi.Instance{ID: 4520031799277581759, Name: "node-1", Zone: "europe-west3-a"}
	for path, want := range map[string]string{
		"instance/":              "id\nname\nservice-accounts/\nzone\n",
		"instance/id":            "4520031799277581759",
		"instance/id?alt=json":   "4520031799277581759\n", // a number, which only a float would shorten
		"instance/name":          "node-1",
		"instance/zone":          "projects/123456789012/zones/europe-west3-a",
		"instance/zone?alt=json": `"projects/123456789012/zones/europe-west3-a"` + "\n",
	} {
		if got := ask(h, v1+path); got.StatusCode != http.StatusOK || body(got) != want {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
}

// TestNames: what an account is called, and which project and cluster the pod is in.
func TestNames(t *testing.T) {
	const notFound = ""
	for name, test := range map[string]struct {
		identity                              gcp.Identity
		universe                              string
		email, project, number, cluster, zone string
	}{
		"impersonation":                  {gcp.Identity{Provider: provider, ServiceAccount: account}, "", account, notFound, "123456789012", notFound, notFound},
		"direct access":                  {gcp.Identity{Provider: provider}, "", "123456789012.svc.id.goog", notFound, "123456789012", notFound, notFound},
		"direct access, project":         {gcp.Identity{Provider: provider, Project: "example-project"}, "", "example-project.svc.id.goog", "example-project", "123456789012", notFound, notFound},
		"direct access, principal":       {gcp.Identity{Provider: provider, PrincipalAsEmail: true}, "", principal, notFound, "123456789012", notFound, notFound},
		"GKE":                            {gcp.Identity{Provider: cluster}, "", "example-project.svc.id.goog", notFound, "0", "shop", "europe-west3"},
		"GKE, project":                   {gcp.Identity{Provider: cluster, Project: "another-project"}, "", "example-project.svc.id.goog", "another-project", "0", "shop", "europe-west3"},
		"fleet":                          {gcp.Identity{Provider: "identitynamespace:example-project.svc.id.goog:https://gkehub.googleapis.com/projects/example-project/locations/global/memberships/shop"}, "", "example-project.svc.id.goog", notFound, "0", notFound, notFound},
		"another universe, impersonated": {gcp.Identity{Provider: provider, ServiceAccount: account}, "apis-berlin-build0.goog", account, notFound, "123456789012", notFound, notFound},
	} {
		t.Run(name, func(t *testing.T) {
			h := handler(test.identity, new(cloud))
			h.Universe = test.universe
			universe := "googleapis.com"
			if test.universe != "" {
				universe = test.universe
			}
			for path, want := range map[string]string{
				"instance/service-accounts/default/email": test.email,
				"project/project-id":                      test.project,
				"project/numeric-project-id":              test.number, // digits, whatever is known: gcloud looks for them
				"instance/attributes/cluster-name":        test.cluster,
				"instance/attributes/cluster-location":    test.zone,
				"universe/universe-domain":                universe,
				"instance/id":                             notFound, // nothing about the machine is configured
				"instance/name":                           notFound,
				"instance/zone":                           notFound,
			} {
				got := ask(h, v1+path)
				if want == notFound {
					if got.StatusCode != http.StatusNotFound {
						t.Errorf("%s: status %d, want 404", path, got.StatusCode)
					}
				} else if text := body(got); got.StatusCode != http.StatusOK || text != want {
					t.Errorf("%s: %d %q, want %q", path, got.StatusCode, text, want)
				}
			}
			if got := body(ask(h, accounts)); got != "default/\n"+test.email+"/\n" {
				t.Errorf("the accounts are %q", got)
			}
		})
	}
}

// TestPrincipalInPath: an account's name that holds slashes leads to it, and as
// Python writes it, too.
func TestPrincipalInPath(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider, PrincipalAsEmail: true}, &cloud{answer: "ya29.x"})
	for _, name := range []string{
		principal,
		strings.Replace(principal, "://", ":/", 1),
		strings.ReplaceAll(strings.ReplaceAll(principal, ":", "%3A"), "/", "%2F"),
	} {
		for property, want := range map[string]string{"email": principal, "token": "ya29.x", "?recursive=true": `"email":"` + principal} {
			if got := ask(h, accounts+name+"/"+property); got.StatusCode != http.StatusOK || !strings.Contains(body(got), want) {
				t.Errorf("%s/%s: status %d", name, property, got.StatusCode)
			}
		}
	}
	if got := body(ask(h, accounts)); strings.Contains(got, "principal:/i") {
		t.Errorf("the other spelling is listed: %s", got)
	}
}

func TestRedirects(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider, ServiceAccount: account}, new(cloud))
	for target, want := range map[string]string{
		"/computeMetadata/v1":              v1,
		v1 + "instance":                    v1 + "instance/",
		v1 + "project":                     v1 + "project/",
		v1 + "universe":                    v1 + "universe/",
		v1 + "instance/service-accounts":   accounts,
		accounts + "default":               accounts + "default/",
		accounts + account:                 accounts + account + "/",
		v1 + "instance?alt=json":           v1 + "instance/?alt=json",
		accounts + "default%0d%0aSet-x:y":  "", // 404: no such account, and no header of its making
		accounts + "somebody@example.com":  "",
		accounts + "defaul":                "",
		v1 + "project/project-id/":         "",
		accounts + "default/token/":        "",
		accounts + "default/email/":        "",
		v1 + "instance/attributes/":        "",
		v1 + "instance/disks/":             "",
		"/computeMetadata/v1beta1/project": "",
		"/computeMetadata/v2/":             "",
	} {
		got := ask(h, target)
		status := http.StatusMovedPermanently
		if want == "" {
			status = http.StatusNotFound
		}
		if location := got.Header.Get("Location"); got.StatusCode != status || location != want {
			t.Errorf("%s: %d to %q, want %d to %q", target, got.StatusCode, location, status, want)
		}
	}
}

func TestTokens(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		want  string // what the cloud is asked for
	}{
		"no scopes":            {"", "access "},
		"empty scopes":         {"?scopes=", "access "},
		"commas":               {"?scopes=https://www.googleapis.com/auth/a,https://www.googleapis.com/auth/b", "access https://www.googleapis.com/auth/a+https://www.googleapis.com/auth/b"},
		"encoded commas":       {"?scopes=a%2Cb", "access a+b"},
		"blanks":               {"?scopes=a%20b", "access a+b"},
		"twice":                {"?scopes=a&scopes=b", "access a+b"},
		"recursive is nothing": {"?recursive=true", "access "},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cloud{answer: "ya29.x"}
			got := ask(handler(gcp.Identity{Provider: provider}, c), accounts+"default/token"+test.query)
			text := body(got)
			if got.StatusCode != http.StatusOK || (text != `{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}`+"\n" && text != `{"access_token":"ya29.x","expires_in":3600,"token_type":"Bearer"}`+"\n") {
				t.Errorf("%d %s", got.StatusCode, text)
			}
			if got.Header.Get("ETag") != "" {
				t.Error("a tag is made of a token")
			}
			if diff := cmp.Diff([]string{test.want}, c.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFailures: the statuses that make clients show a cause, or try again.
func TestFailures(t *testing.T) {
	impersonating, direct := gcp.Identity{Provider: provider, ServiceAccount: account}, gcp.Identity{Provider: provider}
	for name, test := range map[string]struct {
		identity       gcp.Identity
		err            error
		token, idToken int // statuses
		after          string
	}{
		"denied":         {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindDenied, Status: 403, Message: "why"}, 400, 404, ""},
		"condition":      {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindDenied, Status: 400, Message: "why"}, 400, 404, ""},
		"API disabled":   {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindConfig, Status: 403, Code: "SERVICE_DISABLED", Message: "why"}, 400, 404, ""},
		"configuration":  {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindConfig, Status: 400, Message: "why"}, 400, 400, ""},
		"issuer":         {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindIssuerUntrusted, Status: 400, Message: "why"}, 400, 400, ""},
		"expired":        {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindTokenExpired, Message: "why"}, 400, 400, ""},
		"expired file":   {impersonating, &federation.Error{Kind: federation.KindTokenExpired, Message: "why"}, 503, 503, "1"},
		"throttled":      {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindThrottled, Status: 429, Message: "why", RetryAfter: 7 * time.Second}, 503, 503, "7"},
		"quota":          {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindThrottled, Status: 403, Message: "why"}, 503, 503, "1"},
		"down":           {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindUnavailable, Status: 503, Message: "why"}, 503, 503, "1"},
		"a surprise":     {impersonating, context.DeadlineExceeded, 503, 503, "1"},
		"direct access":  {direct, &federation.Error{Cloud: "gcp", Kind: federation.KindDenied, Status: 400, Message: "why"}, 400, 404, ""},
		"no ID token":    {impersonating, &federation.Error{Cloud: "gcp", Kind: federation.KindConfig, Err: gcp.ErrNoIDToken}, 400, 404, ""},
		"direct, and up": {direct, nil, 200, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := handler(test.identity, &cloud{err: test.err, answer: "ya29.x"})
			for target, want := range map[string]int{accounts + "default/token": test.token, accounts + "default/identity?audience=https://x.example.com": test.idToken} {
				got := ask(h, target)
				if got.StatusCode != want || got.Header.Get("Metadata-Flavor") != "Google" || got.Header.Get("Server") == "" || got.Header.Get("Content-Type") == "" {
					t.Errorf("%s: status %d, want %d; header %v", target, got.StatusCode, want, got.Header)
				}
				if want != 404 && got.Header.Get("Retry-After") != test.after {
					t.Errorf("%s: Retry-After %q, want %q", target, got.Header.Get("Retry-After"), test.after)
				}
				if e, ok := errors.AsType[*federation.Error](test.err); ok && want != 404 && !strings.Contains(body(got), e.Message) {
					t.Errorf("%s does not say why", target)
				}
			}
		})
	}
}

// TestNoIDTokenOfDirectAccess: that there is none is known, and said, without asking.
func TestNoIDTokenOfDirectAccess(t *testing.T) {
	c := &cloud{answer: "eyJ.x"}
	got := ask(handler(gcp.Identity{Provider: provider}, c), accounts+"default/identity?audience=x")
	if text := body(got); got.StatusCode != http.StatusNotFound || text != gcp.ErrNoIDToken.Error() || len(c.asked) != 0 {
		t.Errorf("%d %s; the cloud was asked for %q", got.StatusCode, text, c.asked)
	}
}

// TestHangingCloud: an answer comes before clients give up, at three seconds.
func TestHangingCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(gcp.Identity{Provider: provider, ServiceAccount: account}, &cloud{})
		hang := func(ctx context.Context) (federation.Credential, error) {
			<-ctx.Done()
			return federation.Credential{}, &federation.Error{Cloud: "gcp", Kind: federation.KindUnavailable, Message: "the cloud has not answered yet"}
		}
		h.AccessToken = func(ctx context.Context, _ []string) (federation.Credential, error) { return hang(ctx) }
		h.IDToken = func(ctx context.Context, _ string) (federation.Credential, error) { return hang(ctx) }
		for _, target := range []string{accounts + "default/token", accounts + "default/identity?audience=x"} {
			began := time.Now()
			got := ask(h, target)
			if took := time.Since(began); got.StatusCode != http.StatusServiceUnavailable || took >= 3*time.Second {
				t.Errorf("%s: %d after %s", target, got.StatusCode, took)
			}
		}
	})
}

// TestNothingWaitsOn: once a request has its answer, nobody works for it any more.
func TestNothingWaitsOn(t *testing.T) {
	h := handler(gcp.Identity{Provider: provider}, new(cloud))
	var given context.Context
	h.AccessToken = func(ctx context.Context, _ []string) (federation.Credential, error) {
		given = ctx
		return federation.Credential{}, nil
	}
	if ask(h, accounts+"default/token"); given.Err() == nil {
		t.Error("its context goes on")
	}
}

// TestRefused: nobody is asked on behalf of a request that is refused.
func TestRefused(t *testing.T) {
	token := accounts + "default/token"
	identity := accounts + "default/identity"
	for name, test := range map[string]struct {
		target, header string
		want           int
	}{
		"no flavour":              {token, "Metadata-Flavor: ", 403},
		"another flavour":         {token, "Metadata-Flavor: google", 403},
		"forwarded":               {token, "X-Forwarded-For: 127.0.0.1", 403},
		"forwarded, empty":        {token, "X-Forwarded-For: ", 403},
		"forwarded, the standard": {token, "Forwarded: for=192.0.2.1", 403},
		"another account":         {accounts + "x@example.com/token", "", 404},
		"a prefix of the account": {accounts + "orders/token", "", 404},
		"no audience":             {identity, "", 400},
		"an empty audience":       {identity + "?audience=", "", 400},
		"a long audience":         {identity + "?audience=" + strings.Repeat("x", 1025), "", 400},
		"an audience of bytes":    {identity + "?audience=%ff", "", 400},
		"a line feed in it":       {identity + "?audience=a%0Ab", "", 400},
		"many scopes":             {token + "?scopes=" + strings.Repeat("a,", 65), "", 400},
		"a scope of quotes":       {token + "?scopes=%22", "", 400},
		"a scope of bytes":        {token + "?scopes=%ff", "", 400},
		"a query that is none":    {token + "?scopes=a;b", "", 400},
		"half an escape":          {token + "?scopes=%2", "", 400},
		"a long query":            {token + "?x=" + strings.Repeat("x", 9000), "", 400},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cloud{answer: "ya29.x"}
			got := ask(handler(gcp.Identity{Provider: provider, ServiceAccount: account}, c), test.target, test.header)
			if got.StatusCode != test.want || strings.Contains(body(got), "ya29") || len(c.asked) != 0 {
				t.Errorf("status %d, want %d; the cloud was asked for %s", got.StatusCode, test.want, c.asked)
			}
			if got.Header.Get("Metadata-Flavor") != "Google" {
				t.Error("the refusal is not Google's")
			}
		})
	}
}

// TestLogIsNotFlooded: the same error is logged once a minute; so is that there is no ID
// token, of which clients show nothing.
func TestLogIsNotFlooded(t *testing.T) {
	for _, target := range []string{accounts + "default/token?scopes=", accounts + "default/identity?audience="} {
		var log strings.Builder
		h := handler(gcp.Identity{Provider: provider, ServiceAccount: account}, &cloud{err: &federation.Error{Cloud: "gcp", Kind: federation.KindDenied, Message: "why"}})
		h.Log = slog.New(slog.NewTextHandler(&log, nil))
		for i := range 1000 {
			ask(h, target+strconv.Itoa(i))
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "why") {
			t.Errorf("%s: %d lines for one error: %s", target, n, &log)
		}
	}
}
