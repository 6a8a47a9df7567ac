package idp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
)

func TestRenderFinds(t *testing.T) {
	const bare = "https://sso.example.com/realms/prod"
	issuer := func(text string) func(*Setup) { return func(s *Setup) { s.Issuer = text } }
	for name, test := range map[string]struct {
		provider Provider
		change   func(*Setup)
		want     []string // code, severity and place
	}{
		"an issuer without a realm":           {Keycloak, issuer("https://sso.example.com"), []string{"WI350 error Keycloak"}},
		"an issuer with a slash at its end":   {Keycloak, issuer(bare + "/"), []string{"WI350 error Keycloak"}},
		"an issuer by http":                   {Keycloak, issuer("http://sso.example.com/realms/prod"), []string{"WI350 error Keycloak"}},
		"an issuer without a host":            {Keycloak, issuer("https:///realms/prod"), []string{"WI350 error Keycloak"}},
		"an issuer with a query":              {Keycloak, issuer("https://sso.example.com/?a=/realms/prod"), []string{"WI350 error Keycloak"}},
		"an issuer with somebody's name":      {Keycloak, issuer("https://admin@sso.example.com/realms/prod"), []string{"WI350 error Keycloak"}},
		"an issuer that is no URL":            {Keycloak, issuer("https://%zz/realms/prod"), []string{"WI350 error Keycloak"}},
		"an old Keycloak, with /auth":         {Keycloak, issuer("https://sso.example.com/auth/realms/prod"), nil},
		"a realm's name that URLs escape":     {Keycloak, issuer("https://sso.example.com/realms/a b"), []string{"WI350 error Keycloak"}},
		"the realm of Keycloak itself":        {Keycloak, issuer("https://sso.example.com/realms/master"), []string{"WI350 error Keycloak"}},
		"an issuer with a fragment":           {Keycloak, issuer("https://sso.example.com/#/realms/prod"), []string{"WI350 error Keycloak"}},
		"no issuer":                           {Keycloak, issuer(""), []string{"WI350 error Keycloak"}},
		"every tenant":                        {Entra, func(s *Setup) { s.Tenant = "common" }, []string{"WI350 error Entra"}},
		"a tenant in upper case":              {Entra, func(s *Setup) { s.Tenant = "AAAAAAAA-8888-7777-6666-555555555555" }, []string{"WI350 error Entra"}},
		"Auth0 by a URL":                      {Auth0, func(s *Setup) { s.Domain = "https://example.eu.auth0.com/" }, []string{"WI350 error Auth0"}},
		"Google without a domain":             {Google, func(s *Setup) { s.Domain = "" }, []string{"WI350 error Google"}},
		"an environment that is no name":      {Okta, func(s *Setup) { s.Environment = "Prod EU" }, []string{"WI351 error environment"}},
		"an environment that is not named":    {Okta, func(s *Setup) { s.Environment = "" }, nil},
		"no cluster":                          {Okta, func(s *Setup) { s.Clusters = nil }, []string{"WI351 error clusters"}},
		"a cluster that is no name":           {Okta, func(s *Setup) { s.Clusters[0].Name = "Prod_EU" }, []string{"WI351 error cluster Prod_EU"}},
		"a cluster with 33 characters":        {Okta, func(s *Setup) { s.Clusters[0].Name = strings.Repeat("c", 33) }, []string{"WI351 error cluster " + strings.Repeat("c", 33)}},
		"a cluster with 32 characters":        {Okta, func(s *Setup) { s.Clusters[0].Name = strings.Repeat("c", 32) }, nil},
		"a cluster twice":                     {Okta, func(s *Setup) { s.Clusters[1].Name = "prod-eu" }, []string{"WI356 error cluster prod-eu", "WI356 error cluster prod-eu"}},
		"two clusters with one client":        {Okta, func(s *Setup) { s.Clusters[1].ClientID = "kubernetes-prod-eu" }, []string{"WI356 error cluster prod-us"}},
		"a client of one's own":               {Okta, func(s *Setup) { s.Clusters[1].ClientID = "kubernetes" }, nil},
		"a client that is too short":          {Okta, func(s *Setup) { s.Clusters[1].ClientID = "kube" }, []string{"WI351 error cluster prod-us"}},
		"a client with a blank":               {Keycloak, func(s *Setup) { s.Clusters[1].ClientID = "kubernetes prod" }, []string{"WI351 error cluster prod-us"}},
		"a client that Entra would choose":    {Entra, func(s *Setup) { s.Clusters[1].ClientID = tenant }, []string{"WI351 error cluster prod-us"}},
		"no group":                            {Auth0, func(s *Setup) { s.Groups = nil }, []string{"WI351 error groups"}},
		"no group at Google":                  {Google, func(s *Setup) { s.Groups = nil }, nil},
		"a group of Kubernetes":               {Okta, func(s *Setup) { s.Groups = []string{"System:masters"} }, []string{"WI357 error group System:masters"}},
		"a group with white space":            {Okta, func(s *Setup) { s.Groups = []string{" sre"} }, []string{"WI351 error group  sre"}},
		"a group of nothing":                  {Okta, func(s *Setup) { s.Groups = []string{""} }, []string{"WI351 error group "}},
		"a group of two lines":                {Okta, func(s *Setup) { s.Groups = []string{"s\nre"} }, []string{"WI351 error group s\nre"}},
		"a group of 256 characters":           {Okta, func(s *Setup) { s.Groups = []string{strings.Repeat("g", 256)} }, []string{"WI351 error group " + strings.Repeat("g", 256)}},
		"a group by its path":                 {Keycloak, func(s *Setup) { s.Groups = []string{"/teams/sre"} }, []string{"WI351 error group /teams/sre"}},
		"a group with a slash elsewhere":      {Okta, func(s *Setup) { s.Groups = []string{"teams/sre"} }, nil},
		"a group of Google by its name":       {Google, func(s *Setup) { s.Groups = []string{"sre"} }, []string{"WI351 error group sre"}},
		"a group twice":                       {Okta, func(s *Setup) { s.Groups = []string{"sre", "sre"} }, []string{"WI356 error group sre"}},
		"a scope that is none":                {Okta, func(s *Setup) { s.Scopes = []string{"openid", "a b"} }, []string{"WI351 error scope a b"}},
		"no ID token":                         {Okta, func(s *Setup) { s.Scopes = []string{"email"} }, []string{"WI351 error scopes"}},
		"offline_access at Google":            {Google, func(s *Setup) { s.Scopes = []string{"openid", "offline_access"} }, []string{"WI353 error scope offline_access"}},
		"a claim of one's own":                {Keycloak, func(s *Setup) { s.GroupsClaim = "team_groups" }, nil},
		"a claim that is none":                {Keycloak, func(s *Setup) { s.GroupsClaim = "a b" }, []string{"WI353 error groups claim"}},
		"a claim that Auth0 keeps":            {Auth0, func(s *Setup) { s.GroupsClaim = "groups" }, []string{"WI353 error groups claim"}},
		"a claim that Auth0 may keep":         {Auth0, func(s *Setup) { s.GroupsClaim = "teams" }, []string{"WI353 error groups claim"}},
		"a claim of Auth0's own domain":       {Auth0, func(s *Setup) { s.GroupsClaim = "https://example.eu.auth0.com/groups" }, []string{"WI353 error groups claim"}},
		"a claim of one's own at Auth0":       {Auth0, func(s *Setup) { s.GroupsClaim = "https://example.com/groups" }, nil},
		"another claim at Entra":              {Entra, func(s *Setup) { s.GroupsClaim = "teams" }, []string{"WI353 error groups claim"}},
		"groups in Google's tokens":           {Google, func(s *Setup) { s.GroupsClaim = "groups" }, []string{"WI353 error groups claim"}},
		"names from who has no other":         {Okta, func(s *Setup) { s.GroupNames = true }, []string{"WI353 error group names"}},
		"a redirect to elsewhere":             {Okta, func(s *Setup) { s.RedirectURIs = []string{"https://console.example.com/cb"} }, []string{"WI352 error redirect URI"}},
		"a redirect to any port":              {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://localhost:8000/*"} }, []string{"WI352 error redirect URI"}},
		"a redirect with a name":              {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://me@localhost:8000"} }, []string{"WI352 error redirect URI"}},
		"a redirect with a query":             {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://localhost:8000/?a"} }, []string{"WI352 error redirect URI"}},
		"a redirect with a fragment":          {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://localhost:8000/#a"} }, []string{"WI352 error redirect URI"}},
		"a redirect that is no URL":           {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://%zz"} }, []string{"WI352 error redirect URI"}},
		"a redirect by https":                 {Okta, func(s *Setup) { s.RedirectURIs = []string{"https://localhost:8000"} }, []string{"WI352 error redirect URI"}},
		"a redirect that only looks so":       {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://localhost@example.com"} }, []string{"WI352 error redirect URI"}},
		"a redirect by address, with a path":  {Okta, func(s *Setup) { s.RedirectURIs = []string{"http://127.0.0.1:8000/cb", "http://[::1]:8000"} }, nil},
		"pods at Okta":                        {Okta, pods, []string{"WI354 error Okta"}},
		"pods at Google":                      {Google, pods, []string{"WI354 error Google"}},
		"pods at Auth0":                       {Auth0, pods, []string{"WI354 error Auth0"}},
		"a pod of another cluster":            {Entra, func(s *Setup) { s.Pods[0].Cluster = "test" }, []string{"WI351 error pod shop/orders.v2 of test"}},
		"a pod that talks to another cluster": {Entra, func(s *Setup) { s.Pods[0].Audiences = []string{"test"} }, []string{"WI351 error pod shop/orders.v2 of prod-eu"}},
		"a pod without a namespace":           {Entra, func(s *Setup) { s.Pods[0].Namespace = "" }, []string{"WI351 error pod /orders.v2 of prod-eu"}},
		"a pod in upper case":                 {Entra, func(s *Setup) { s.Pods[0].ServiceAccount = "Orders" }, []string{"WI351 error pod shop/Orders of prod-eu"}},
		"a pod with a long name":              {Entra, func(s *Setup) { s.Pods[0].ServiceAccount = strings.Repeat("a", 253) }, []string{"WI351 error pod shop/" + strings.Repeat("a", 253) + " of prod-eu"}},
		"a pod twice":                         {Entra, func(s *Setup) { s.Pods[1] = s.Pods[0] }, []string{"WI356 error pod shop/orders.v2 of prod-eu"}},
		"a pod with a cluster's client":       {Keycloak, func(s *Setup) { s.Clusters[1].ClientID = "prod-eu_ci_runner" }, []string{"WI356 error pod ci/runner of prod-eu"}},
		"pods without an issuer":              {Entra, func(s *Setup) { s.Clusters[0].Issuer = "" }, []string{"WI355 error cluster prod-eu"}},
		"pods of an issuer without https":     {Keycloak, func(s *Setup) { s.Clusters[0].Issuer = "http://oidc.example.com" }, []string{"WI355 error cluster prod-eu"}},
		"pods of an issuer within, at Entra":  {Entra, func(s *Setup) { s.Clusters[0].Issuer = "https://kubernetes.default.svc" }, []string{"WI355 error cluster prod-eu"}},
		"pods of an issuer within":            {Keycloak, func(s *Setup) { s.Clusters[0].Issuer = "https://kubernetes.default.svc" }, []string{"WI355 warning cluster prod-eu"}},
		"two clusters with one issuer": {Keycloak, func(s *Setup) {
			s.Clusters[1].Issuer, s.Pods[1].Cluster = euOIDC, "prod-us"
		}, []string{"WI356 error cluster prod-us"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := company(test.provider)
			test.change(&s)
			_, found := Render(s)
			var got []string
			for _, f := range found {
				got = append(got, f.Code+" "+string(f.Severity)+" "+f.Where)
				if f.Fix == "" || f.Message == "" {
					t.Errorf("%v says not what to do", f)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, found)
			}
		})
	}
}

// pods asks for one where there was none.
func pods(s *Setup) {
	s.Clusters[0].Issuer = euOIDC
	s.Pods = []Pod{{Cluster: "prod-eu", Namespace: "ci", ServiceAccount: "runner"}}
}

// TestFixes: what is written into a fix can be used as it is.
func TestFixes(t *testing.T) {
	for name, test := range map[string]struct {
		provider Provider
		change   func(*Setup)
		want     string
	}{
		"a group's address": {Google, func(s *Setup) { s.Groups = []string{"sre"} }, "write sre@example.com"},
		"a group's name":    {Keycloak, func(s *Setup) { s.Groups = []string{"/teams/sre"} }, "name the group itself: sre"},
		"a client's ID":     {Okta, func(s *Setup) { s.Clusters[0].ClientID = "x" }, "use kubernetes-prod-eu"},
		"a claim":           {Auth0, func(s *Setup) { s.GroupsClaim = "a b" }, "use https://podpass.io/groups"},
		"another claim":     {Okta, func(s *Setup) { s.GroupsClaim = "a b" }, "use groups"},
	} {
		s := company(test.provider)
		test.change(&s)
		if _, found := Render(s); len(found) != 1 || found[0].Fix != test.want || found[0].Severity != finding.Error {
			t.Errorf("%s: %v, want the fix %q", name, found, test.want)
		}
	}
}

// TestRenderLeavesTheSetup: what was asked for is not changed.
func TestRenderLeavesTheSetup(t *testing.T) {
	s := company(Keycloak)
	Render(s)
	if diff := cmp.Diff(company(Keycloak), s); diff != "" {
		t.Error(diff)
	}
}
