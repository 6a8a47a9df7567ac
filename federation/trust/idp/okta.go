package idp

import (
	"regexp"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// deviceCode is the grant type of RFC 8628.
const deviceCode = "urn:ietf:params:oauth:grant-type:device_code"

// okta is Terraform for the provider okta/okta: an authorization server for the environment,
// whose ID tokens have the groups, and a native application for each cluster.
// https://registry.terraform.io/providers/okta/okta/latest/docs
func (p *Plan) okta() string {
	s := p.setup
	groups := labels(s.Groups)
	server := quote.Label(s.shared())
	var blocks, assigned, clients []string
	for _, g := range s.Groups {
		blocks = append(blocks, data("okta_group", groups[g], str("name", g)))
		assigned = append(assigned, quote.Block("group", []quote.Attribute{attribute("id", "data.okta_group."+groups[g]+".id")}))
	}
	blocks = append(blocks, resource("okta_auth_server", server, []quote.Attribute{
		str("name", s.shared()), str("description", "People who sign in to clusters"), list("audiences", []string{s.shared()}),
	}), resource("okta_auth_server_claim", server, []quote.Attribute{
		attribute("auth_server_id", "okta_auth_server."+server+".id"),
		str("name", s.GroupsClaim), str("claim_type", "IDENTITY"), str("value_type", "GROUPS"), str("group_filter_type", "REGEX"),
		str("value", exactly(s.Groups)), attribute("always_include_in_token", "true"),
	}))
	clusters := labels(s.names())
	for _, c := range s.Clusters {
		label := clusters[c.Name]
		clients = append(clients, "okta_app_oauth."+label+".client_id")
		grants := []string{"authorization_code", deviceCode}
		if has(s.Scopes, "offline_access") {
			grants = append(grants, "refresh_token")
		}
		blocks = append(blocks, quote.Comment("people who sign in to "+c.Name)+resource("okta_app_oauth", label, []quote.Attribute{
			str("label", "Kubernetes "+c.Name), str("client_id", c.ClientID), str("type", "native"), list("grant_types", grants), list("response_types", []string{"code"}),
			list("redirect_uris", s.RedirectURIs), str("token_endpoint_auth_method", "none"), attribute("pkce_required", "true"),
		}), resource("okta_app_group_assignments", label, []quote.Attribute{attribute("app_id", "okta_app_oauth."+label+".id")}, assigned...))
	}
	blocks = append(blocks, quote.Comment("a server of one's own gives no token without a policy that allows it")+resource("okta_auth_server_policy", server, []quote.Attribute{
		attribute("auth_server_id", "okta_auth_server."+server+".id"), str("name", "clusters"), str("description", "The clusters' clients, and no others"),
		attribute("priority", "1"), references("client_whitelist", clients),
	}), resource("okta_auth_server_policy_rule", server, []quote.Attribute{
		attribute("auth_server_id", "okta_auth_server."+server+".id"), attribute("policy_id", "okta_auth_server_policy."+server+".id"),
		str("name", "people"), attribute("priority", "1"), references("group_whitelist", oktaGroupIDs(s.Groups, groups)),
		list("grant_type_whitelist", []string{"authorization_code", deviceCode}), list("scope_whitelist", s.Scopes),
	}), output("issuer", "Issuer that API servers trust", attribute("value", "okta_auth_server."+server+".issuer")), s.clientIDs(func(label string) string {
		return "okta_app_oauth." + label + ".client_id"
	}))
	return s.document("For okta/okta 4.8 or newer. Groups are those that are there.", blocks)
}

func oktaGroupIDs(names []string, labels map[string]string) []string {
	var ids []string
	for _, name := range names {
		ids = append(ids, "data.okta_group."+labels[name]+".id")
	}
	return ids
}

// exactly is an expression that the names match, and nothing else does.
func exactly(names []string) string {
	var alternatives []string
	for _, name := range names {
		alternatives = append(alternatives, regexp.QuoteMeta(name))
	}
	return "^(" + strings.Join(alternatives, "|") + ")$"
}
