package azure_test

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/azure"
)

// TestIdentitiesAreValidated: each field that is wrong is named, and all of them at
// once.
func TestIdentitiesAreValidated(t *testing.T) {
	const one, two, tenant = "11111111-2222-3333-4444-aaaaaaaaaaaa", "11111111-2222-3333-4444-bbbbbbbbbbbb", "99999999-8888-7777-6666-555555555555"
	whole := func() azure.Identity {
		return azure.Identity{ClientID: one, TenantID: tenant, Audience: azure.DefaultAudience, Others: []azure.Application{{ClientID: two, TenantID: "example.com"}}}
	}
	if err := whole().Validate(); err != nil {
		t.Error(err)
	}
	open := whole()
	open.ClientID = "" // the application names it
	if err := open.Validate(); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		spoil func(*azure.Identity)
		want  string
	}{
		"no client, no tenant":  {func(i *azure.Identity) { i.ClientID, i.TenantID = "", "" }, "tenantID: "},
		"a client":              {func(i *azure.Identity) { i.ClientID = "x" }, "clientID: "},
		"a tenant":              {func(i *azure.Identity) { i.TenantID = "../" + tenant }, "tenantID: "},
		"no audience":           {func(i *azure.Identity) { i.Audience = "" }, "audience: "},
		"another's client":      {func(i *azure.Identity) { i.Others[0].ClientID = "x" }, "others[0].clientID: "},
		"another's tenant":      {func(i *azure.Identity) { i.Others[0].TenantID = "" }, "others[0].tenantID: "},
		"a client twice":        {func(i *azure.Identity) { i.Others[0].ClientID = strings.ToUpper(one) }, "is there twice"},
		"all problems at once":  {func(i *azure.Identity) { i.ClientID, i.Audience = "x", "" }, "clientID: "},
		"and the other of them": {func(i *azure.Identity) { i.ClientID, i.Audience = "x", "" }, "audience: "},
	} {
		t.Run(name, func(t *testing.T) {
			i := whole()
			test.spoil(&i)
			if err := i.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestValidResource(t *testing.T) {
	for s, want := range map[string]bool{
		"https://vault.azure.net": true, "api://orders": true, "https://vault.azure.net/.default": true, strings.Repeat("x", 512): true,
		"": false, "a b": false, "a\nb": false, "ü": false, strings.Repeat("x", 513): false,
	} {
		if got := azure.ValidResource(s); got != want {
			t.Errorf("%.40q: %t", s, got)
		}
	}
}

// TestWhoseClientNamesNone: an identity without a client ID has each application of its
// tenant, and nothing that is no client ID.
func TestWhoseClientNamesNone(t *testing.T) {
	const one, tenant = "11111111-2222-3333-4444-aaaaaaaaaaaa", "99999999-8888-7777-6666-555555555555"
	c := &azure.Client{Identity: azure.Identity{TenantID: tenant}}
	if got, ok := c.For(strings.ToUpper(one)); !ok || got.Identity.ClientID != one || got.Identity.TenantID != tenant {
		t.Errorf("%t, %+v", ok, got)
	}
	for _, id := range []string{"", "orders", one + "1"} {
		if got, ok := c.For(id); ok {
			t.Errorf("%q is %+v", id, got.Identity)
		}
	}
}
