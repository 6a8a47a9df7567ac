package azure_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

// clouds answers for every Microsoft cloud, as their documents say, and keeps the
// URLs that were asked.
type clouds struct {
	issuer string // host of the tenant's issuer
	asked  []string
}

func (c *clouds) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, r.Method+" "+r.URL.Host+r.URL.Path)
	body := `{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"eyJ"}`
	if r.Method == http.MethodGet {
		base := "https://" + r.URL.Host + "/" + tenant
		body = fmt.Sprintf(`{"issuer":"https://%s/%s/v2.0","token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/oauth2/v2.0/authorize"}`, c.issuer, tenant, base, base)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// TestSovereignClouds: the tenant's metadata and the token come from the authority
// that the administrator set, and from nowhere else: no discovery in the public
// cloud. China's issuer has another host than its authority.
func TestSovereignClouds(t *testing.T) {
	for name, test := range map[string]struct{ authority, host, issuer string }{
		"public, by default":     {"", "login.microsoftonline.com", "login.microsoftonline.com"},
		"public, without slash":  {"https://login.microsoftonline.com", "login.microsoftonline.com", "login.microsoftonline.com"},
		"US government":          {"https://login.microsoftonline.us/", "login.microsoftonline.us", "login.microsoftonline.us"},
		"China":                  {"https://login.chinacloudapi.cn/", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn"},
		"China, its newer name":  {"https://login.partner.microsoftonline.cn/", "login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn"},
		"a private authority":    {"https://entra.example.com:8443/", "entra.example.com:8443", "entra.example.com:8443"},
		"public, another region": {"https://westeurope.login.microsoft.com/", "westeurope.login.microsoft.com", "login.microsoft.com"},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := &clouds{issuer: test.issuer}
			c := &azure.Client{
				Identity: azure.Identity{ClientID: "11111111-2222-3333-4444-555555555555", TenantID: tenant}, Token: ft.Token{},
				AuthorityHost: test.authority, HTTP: &http.Client{Transport: cloud},
			}
			if _, err := c.AccessToken("https://vault.example.com", "").Exchange(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := []string{"GET " + test.host + "/" + tenant + "/v2.0/.well-known/openid-configuration", "POST " + test.host + "/" + tenant + "/oauth2/v2.0/token"}
			if diff := cmp.Diff(want, cloud.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestForeignIssuer: an authority whose metadata is another's gets no assertion.
func TestForeignIssuer(t *testing.T) {
	cloud := &clouds{issuer: "evil.example.com"}
	c := &azure.Client{
		Identity: azure.Identity{ClientID: "11111111-2222-3333-4444-555555555555", TenantID: tenant}, Token: ft.Token{},
		AuthorityHost: "https://entra.example.com/", HTTP: &http.Client{Transport: cloud},
	}
	_, err := c.AccessToken("https://vault.example.com", "").Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindConfig, Message: `issuer "https://evil.example.com/`, Hint: []string{"authority https://entra.example.com/"}})
	if len(cloud.asked) != 1 {
		t.Errorf("asked %q", cloud.asked)
	}
}

func TestManagementResource(t *testing.T) {
	for authority, want := range map[string]string{
		"":                                          "https://management.azure.com",
		"https://login.microsoftonline.com/":        "https://management.azure.com",
		"https://login.microsoftonline.us":          "https://management.usgovcloudapi.net",
		"https://Login.MicrosoftOnline.us/":         "https://management.usgovcloudapi.net",
		"https://login.chinacloudapi.cn/":           "https://management.chinacloudapi.cn",
		"https://login.partner.microsoftonline.cn/": "https://management.chinacloudapi.cn",
		"https://entra.example.com:8443/":           "https://management.azure.com",
		"%":                                         "https://management.azure.com",
	} {
		if got := azure.ManagementResource(authority); got != want {
			t.Errorf("%s: %s, want %s", authority, got, want)
		}
	}
}

// TestKeys: every input that changes the token is in the key, which holds no secret.
func TestKeys(t *testing.T) {
	id := azure.Identity{ClientID: "11111111-2222-3333-4444-555555555555", TenantID: tenant, Audience: azure.DefaultAudience}
	base := &azure.Client{Identity: id}
	keys := map[string]string{}
	add := func(name, key string) {
		if other, ok := keys[key]; ok {
			t.Errorf("%s and %s have one key: %s", name, other, key)
		}
		keys[key] = name
		if !strings.HasPrefix(key, "azure/") {
			t.Errorf("%s: %s", name, key)
		}
	}
	add("base", base.AccessToken("r", "").Key())
	add("resource", base.AccessToken("r/", "").Key())
	add("claims", base.AccessToken("r", "{}").Key())
	add("resource with quotes", base.AccessToken(`r"/"{}`, "").Key())
	for name, change := range map[string]func(*azure.Client){
		"client":    func(c *azure.Client) { c.Identity.ClientID = "22222222-2222-3333-4444-555555555555" },
		"tenant":    func(c *azure.Client) { c.Identity.TenantID = "88888888-8888-7777-6666-555555555555" },
		"audience":  func(c *azure.Client) { c.Identity.Audience = "api://AzureADTokenExchangeUSGov" },
		"authority": func(c *azure.Client) { c.AuthorityHost = "https://login.microsoftonline.us/" },
	} {
		c := &azure.Client{Identity: id}
		change(c)
		add(name, c.AccessToken("r", "").Key())
	}
	same := &azure.Client{Identity: id, AuthorityHost: azure.DefaultAuthorityHost}
	if a, b := base.AccessToken("r", "").Key(), same.AccessToken("r", "").Key(); a != b {
		t.Errorf("the default authority by its name has another key: %s, %s", a, b)
	}
}
