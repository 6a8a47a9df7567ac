package idp

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/oidc"
)

// representations are fields of Keycloak's own types, with the types that those have.
type representations map[string]map[string]string

func published(t *testing.T) representations {
	t.Helper()
	raw, err := os.ReadFile("testdata/representations.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "source")
	types := representations{}
	for name, fields := range all {
		var list map[string]string
		if err := json.Unmarshal(fields, &list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		types[name] = list
	}
	return types
}

// problems say where a value is not of a published type, or has a field that the type has not.
func (r representations) problems(where, kind string, value any) []string {
	wrong := []string{fmt.Sprintf("%s is a %T, want %s", where, value, kind)}
	switch {
	case strings.HasPrefix(kind, "["):
		list, ok := value.([]any)
		if !ok {
			return wrong
		}
		var all []string
		for _, one := range list {
			all = append(all, r.problems(where+"[]", strings.Trim(kind, "[]"), one)...)
		}
		return all
	case kind == "string" || kind == "boolean" || kind == "number":
		if map[string]string{"string": "string", "bool": "boolean", "float64": "number"}[fmt.Sprintf("%T", value)] != kind {
			return wrong
		}
		return nil
	}
	object, ok := value.(map[string]any)
	if !ok || kind != "strings" && r[kind] == nil {
		return wrong
	}
	var all []string
	for name, v := range object {
		field := r[kind][name]
		if kind == "strings" {
			field = "string"
		}
		if field == "" {
			all = append(all, where+"."+name+" is no field of "+kind)
			continue
		}
		all = append(all, r.problems(where+"."+name, field, v)...)
	}
	return all
}

// TestKeycloakRepresentation: Keycloak refuses a field that it does not know, and reads
// configuration as strings alone.
func TestKeycloakRepresentation(t *testing.T) {
	types := published(t)
	imported := decoded(t, company(Keycloak))
	for _, problem := range types.problems("realm", "RealmRepresentation", imported) {
		t.Error(problem)
	}
	mappers := 0
	for _, c := range imported["clients"].([]any) {
		for _, m := range c.(map[string]any)["protocolMappers"].([]any) {
			mapper := m.(map[string]any)
			kind := mapper["protocolMapper"].(string)
			if types[kind] == nil {
				t.Errorf("no mapper is known that is %s", kind)
			}
			for name, value := range mapper["config"].(map[string]any) {
				mappers++
				if want := types[kind][name]; want == "" || want == "boolean" && value != "true" && value != "false" {
					t.Errorf("%s: %s is %v, want a %q", kind, name, value, want)
				}
			}
		}
	}
	if mappers != 2*(4+6)+2*4 {
		t.Errorf("%d settings of mappers were looked at", mappers)
	}
}

// TestProblems: the check of representations finds what it should.
func TestProblems(t *testing.T) {
	types := representations{"Realm": {"realm": "string", "attributes": "strings", "clients": "[Client]", "unknown": "Nobody"}, "Client": {"enabled": "boolean"}}
	for name, test := range map[string]struct{ text, want string }{
		"all right":            {`{"realm": "prod", "attributes": {"a": "b"}, "clients": [{"enabled": true}]}`, ""},
		"another field":        {`{"relm": "prod"}`, "realm.relm is no field of Realm"},
		"another type":         {`{"realm": 7}`, "realm.realm is a float64, want string"},
		"an attribute":         {`{"attributes": {"a": true}}`, "realm.attributes.a is a bool, want string"},
		"no list":              {`{"clients": {}}`, "realm.clients is a map[string]interface {}, want [Client]"},
		"a field of an object": {`{"clients": [{"enable": true}]}`, "realm.clients[].enable is no field of Client"},
		"a type of an object":  {`{"clients": [{"enabled": "true"}]}`, "realm.clients[].enabled is a string, want boolean"},
		"no object":            {`{"clients": ["a"]}`, "realm.clients[] is a string, want Client"},
		"no such type":         {`{"unknown": {}}`, "realm.unknown is a map[string]interface {}, want Nobody"},
	} {
		var value any
		if err := json.Unmarshal([]byte(test.text), &value); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(types.problems("realm", "Realm", value), "; "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func decoded(t *testing.T, s Setup) map[string]any {
	t.Helper()
	plan, found := Render(s)
	if len(found) > 0 {
		t.Fatal(found)
	}
	raw, err := plan.Form("json")
	if err != nil {
		t.Fatal(err)
	}
	var imported map[string]any
	if err := json.Unmarshal(raw, &imported); err != nil {
		t.Fatal(err)
	}
	return imported
}

// TestKeycloakImportKeepsScopes: an import with clientScopes of its own has none of
// Keycloak's, and its clients would lack sub and email.
func TestKeycloakImportKeepsScopes(t *testing.T) {
	for _, field := range []string{"clientScopes", "defaultDefaultClientScopes", "defaultOptionalClientScopes", "authenticationFlows"} {
		if _, ok := decoded(t, company(Keycloak))[field]; ok {
			t.Errorf("the realm has %s", field)
		}
	}
}

// TestKeycloakClients: people's are public with PKCE and the device flow, and no other
// grant; pods' have no secret, and nothing but their own grant.
func TestKeycloakClients(t *testing.T) {
	plan, _ := Render(company(Keycloak))
	clients := plan.keycloakClients()
	if len(clients) != 4 {
		t.Fatalf("%d clients, want 4", len(clients))
	}
	for _, c := range clients[:2] {
		if !c.PublicClient || !c.StandardFlowEnabled || c.ImplicitFlowEnabled || c.DirectAccessGrantsEnabled || c.ServiceAccountsEnabled || c.FullScopeAllowed ||
			c.Attributes["pkce.code.challenge.method"] != "S256" || c.Attributes["oauth2.device.authorization.grant.enabled"] != "true" {
			t.Errorf("%s: %+v", c.ClientID, c)
		}
	}
	for _, c := range clients[2:] {
		if c.PublicClient || c.StandardFlowEnabled || c.ImplicitFlowEnabled || c.DirectAccessGrantsEnabled || !c.ServiceAccountsEnabled || c.FullScopeAllowed || len(c.RedirectURIs) > 0 {
			t.Errorf("%s: %+v", c.ClientID, c)
		}
	}
	var audiences []string
	for _, m := range clients[3].ProtocolMappers {
		audiences = append(audiences, m.Config["included.client.audience"])
	}
	if diff := cmp.Diff([]string{"kubernetes-prod-eu", "kubernetes-prod-us"}, audiences); diff != "" || len(clients[2].ProtocolMappers) > 0 {
		t.Errorf("a pod's audiences (-want +got):\n%s", diff)
	}
}

// TestKeycloakScopes: what the program asks for, the client has: always, or on demand.
func TestKeycloakScopes(t *testing.T) {
	for name, test := range map[string]struct{ scopes, defaults, optional []string }{
		"the preset's":  {nil, []string{"basic", "profile", "email"}, []string{"offline_access"}},
		"without names": {[]string{"openid", "email", "offline_access"}, []string{"basic", "email"}, []string{"offline_access"}},
		"never offline": {[]string{"openid"}, []string{"basic"}, []string{}},
	} {
		s := company(Keycloak)
		s.Scopes = test.scopes
		plan, _ := Render(s)
		c := plan.keycloakClients()[0]
		if !slices.Equal(c.DefaultClientScopes, test.defaults) || !slices.Equal(c.OptionalClientScopes, test.optional) {
			t.Errorf("%s: %q and %q, want %q and %q", name, c.DefaultClientScopes, c.OptionalClientScopes, test.defaults, test.optional)
		}
	}
}

// TestPodsTokenSource: podpass can be told to sign pods in, as the steps say it.
func TestPodsTokenSource(t *testing.T) {
	plan, _ := Render(company(Keycloak))
	steps, err := plan.Form("steps")
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range plan.setup.Pods {
		source := oidc.Source{
			Name: "runner", TokenURL: "https://sso.example.com/realms/prod/protocol/openid-connect/token",
			Audience: "https://sso.example.com/realms/prod", Grant: oidc.ClientCredentials, ClientID: pod.name(),
		}
		if err := source.Validate(); err != nil {
			t.Error(err)
		}
		for _, line := range []string{"tokenURL: " + source.TokenURL, "audience: " + source.Audience, "grant: " + string(source.Grant), "clientID: " + source.ClientID} {
			if !strings.Contains(string(steps), "            "+line+"\n") {
				t.Errorf("the steps have not %s", line)
			}
		}
	}
}
