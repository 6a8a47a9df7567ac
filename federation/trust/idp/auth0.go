package idp

import (
	"encoding/json"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// auth0Action puts the roles of a person who signs in to a cluster into the token. It finds
// the clusters' applications by their metadata, so that it need not know their IDs.
const auth0Action = `exports.onExecutePostLogin = async (event, api) => {
  if (!event.client.metadata.kubernetes) {
    return;
  }
  const known = KNOWN;
  const roles = (event.authorization && event.authorization.roles) || [];
  const groups = roles.filter((role) => known.includes(role));
  if (groups.length === 0) {
    api.access.deny("not in a group that may sign in to clusters");
    return;
  }
  api.idToken.setCustomClaim(CLAIM, groups);
};
`

// auth0 is Terraform for the provider auth0/auth0: a native application for each cluster,
// roles as groups, and an Action that puts them into the tokens.
// https://registry.terraform.io/providers/auth0/auth0/latest/docs
func (p *Plan) auth0() string {
	s := p.setup
	roles := labels(s.Groups)
	action := quote.Label(s.shared())
	var blocks []string
	for _, g := range s.Groups {
		blocks = append(blocks, resource("auth0_role", roles[g], []quote.Attribute{str("name", g), str("description", "A group that RBAC binds in clusters")}))
	}
	grants, refresh := []string{"authorization_code", deviceCode}, []string{}
	if has(s.Scopes, "offline_access") {
		grants = append(grants, "refresh_token")
		refresh = []string{quote.Block("refresh_token", []quote.Attribute{
			str("rotation_type", "rotating"), str("expiration_type", "expiring"), attribute("leeway", "30"),
			// A week without use, a month in all, in seconds.
			attribute("idle_token_lifetime", "604800"), attribute("token_lifetime", "2592000"),
		})}
	}
	clusters := labels(s.names())
	for _, c := range s.Clusters {
		label := clusters[c.Name]
		blocks = append(blocks, quote.Comment("people who sign in to "+c.Name)+resource("auth0_client", label, []quote.Attribute{
			str("name", "Kubernetes "+c.Name), str("description", "People who sign in to the API of cluster "+c.Name), str("app_type", "native"),
			attribute("is_first_party", "true"), attribute("oidc_conformant", "true"), list("callbacks", s.RedirectURIs), list("grant_types", grants),
			attribute("client_metadata", quote.Map([]quote.Attribute{str("kubernetes", c.Name)})),
		}, append([]string{quote.Block("jwt_configuration", []quote.Attribute{str("alg", "RS256"), attribute("lifetime_in_seconds", "3600")})}, refresh...)...),
			quote.Comment("a public client: no secret, but PKCE")+resource("auth0_client_credentials", label, []quote.Attribute{
				attribute("client_id", "auth0_client."+label+".id"), str("authentication_method", "none"),
			}))
	}
	blocks = append(blocks, quote.Comment("groups in the tokens")+resource("auth0_action", action, []quote.Attribute{
		str("name", s.shared()), str("runtime", "node22"), attribute("deploy", "true"), attribute("code", heredoc(s.auth0Code())),
	}, quote.Block("supported_triggers", []quote.Attribute{str("id", "post-login"), str("version", "v3")})),
		resource("auth0_trigger_action", action, []quote.Attribute{str("trigger", "post-login"), attribute("action_id", "auth0_action."+action+".id")}),
		output("issuer", "Issuer that API servers trust", str("value", s.issuer())),
		s.clientIDs(func(label string) string { return "auth0_client." + label + ".client_id" }))
	return s.document("For auth0/auth0 1 or newer.", blocks)
}

// auth0Code is the Action. JSON is JavaScript, too.
func (s Setup) auth0Code() string {
	known, err := json.Marshal(s.Groups)
	if err != nil {
		return "" // strings have a JSON
	}
	claim, err := json.Marshal(s.GroupsClaim)
	if err != nil {
		return ""
	}
	return strings.NewReplacer("KNOWN", string(known), "CLAIM", string(claim)).Replace(auth0Action)
}

// heredoc is text of several lines that stands for itself, as a value that is indented with
// what is around it.
func heredoc(text string) string {
	text = strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
	return "<<-EOT\n  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\nEOT"
}
