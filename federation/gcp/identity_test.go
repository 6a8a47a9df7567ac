package gcp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ft "github.com/podpass-io/podpass/federation/federationtest"
	"github.com/podpass-io/podpass/federation/gcp"
)

// TestIdentitiesAreValidated: each field that is wrong is named, and all of them at
// once.
func TestIdentitiesAreValidated(t *testing.T) {
	const account = "orders@example-project.iam.gserviceaccount.com"
	whole := func() gcp.Identity {
		return gcp.Identity{
			Provider: provider, Audience: provider, ServiceAccount: account, Delegates: []string{account},
			Project: "example-project", QuotaProject: "example-quota", TokenLifetime: 3600, PrincipalAsEmail: true,
		}
	}
	for name, i := range map[string]gcp.Identity{
		"all of it":         whole(),
		"direct access":     {Provider: provider, Audience: "a"},
		"GKE":               {Provider: "identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/x", Audience: "p.svc.id.goog"},
		"an email's domain": {Provider: provider, Audience: "a", ServiceAccount: "orders@x.iam.gserviceaccount.com", Project: "x"},
		"another project":   {Provider: provider, Audience: "a", ServiceAccount: account, Project: "example-other"},
		"the shortest":      {Provider: provider, Audience: "a", TokenLifetime: 600},
		"the longest":       {Provider: provider, Audience: "a", TokenLifetime: 43200},
	} {
		if err := i.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		spoil func(*gcp.Identity)
		want  string
	}{
		"no provider":           {func(i *gcp.Identity) { i.Provider = "" }, "\nprovider: "},
		"no such form":          {func(i *gcp.Identity) { i.Provider = "x" }, "\nprovider: "},
		"not in full":           {func(i *gcp.Identity) { i.Provider = strings.TrimPrefix(provider, "//iam.googleapis.com/") }, "want " + provider},
		"no audience":           {func(i *gcp.Identity) { i.Audience = "" }, "audience: "},
		"a service account":     {func(i *gcp.Identity) { i.ServiceAccount = "x/../y" }, "serviceAccount: "},
		"a delegate":            {func(i *gcp.Identity) { i.Delegates = append(i.Delegates, "x") }, "delegates[1]: "},
		"a project":             {func(i *gcp.Identity) { i.Project = "x" }, "project: "},
		"a quota project":       {func(i *gcp.Identity) { i.QuotaProject = "a\r\nb" }, "quotaProject: "},
		"too short":             {func(i *gcp.Identity) { i.TokenLifetime = 599 }, "tokenLifetime: 599 is not in 600..43200"},
		"too long":              {func(i *gcp.Identity) { i.TokenLifetime = 43201 }, "tokenLifetime: 43201"},
		"all problems at once":  {func(i *gcp.Identity) { i.Project, i.Audience = "x", "" }, "project: "},
		"and the other of them": {func(i *gcp.Identity) { i.Project, i.Audience = "x", "" }, "audience: "},
	} {
		t.Run(name, func(t *testing.T) {
			i := whole()
			test.spoil(&i)
			if err := i.Validate(); err == nil || strings.Count("\n"+err.Error(), test.want) != 1 {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestLifeIsWhatWasAskedFor: by a clock that is three hours behind, a token of an hour
// ends in four. It is served for the hour that was asked for.
func TestLifeIsWhatWasAskedFor(t *testing.T) {
	for lifetime, want := range map[int]time.Duration{0: time.Hour, 600: 10 * time.Minute, 7200: 2 * time.Hour} {
		var g ft.Recorder
		url := g.Serve(t, fmt.Sprintf(`{"access_token":"ya29.x","token_type":"Bearer","expires_in":3599,"accessToken":"ya29.y","expireTime":%q}`, time.Now().Add(4*time.Hour).UTC().Format(time.RFC3339)))
		i := identity
		i.TokenLifetime = lifetime
		c := &gcp.Client{Identity: i, Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: url, IAMCredentials: url}}
		got, err := c.AccessToken(nil).Exchange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if life := got.Expiry.Life(); life < want || life > want+2*time.Minute {
			t.Errorf("%d s: a life of %s, want %s", lifetime, life, want)
		}
	}
}
