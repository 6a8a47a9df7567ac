package kubetrust

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
	v1 "k8s.io/apiserver/pkg/apis/apiserver/v1"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// Options of Render and Evaluate.
type Options struct {
	// OwnIssuers are those of the API server's own ServiceAccount tokens
	// (--service-account-issuer), which it does not take a second time.
	OwnIssuers []string
	// Version of what Render gives: v1, which Kubernetes reads from 1.34 on and is the
	// default, or v1beta1, which it reads from 1.30 on.
	Version string
}

// Versions are those that Options.Version takes.
var Versions = []string{"v1", "v1beta1"}

// Addresses that are the same for everybody.
const (
	googleIssuer = "https://accounts.google.com"
	githubIssuer = "https://token.actions.githubusercontent.com"
	gitlabIssuer = "https://gitlab.com"
)

// Render gives what the API server must hold so that it trusts the issuers, and the RBAC
// of the rights. What comes out was validated as the API server does it. With an error
// among the findings the plan is not to be used.
func Render(s Spec, o Options) (*Plan, []finding.Finding) {
	r := renderer{plan: Plan{version: cmp.Or(o.Version, Versions[0])}}
	if len(s.Issuers) == 0 {
		r.find(finding.Fix(finding.Bad(CodePreset, "list of issuers", "is empty"), "name at least one issuer"))
	}
	for n, i := range s.Issuers {
		r.issuer(n, i)
	}
	for n, right := range s.Rights {
		r.right(fmt.Sprintf("rights[%d]", n), right)
	}
	if finding.Worst(r.findings) != finding.Error {
		raw, err := r.plan.YAML()
		if err != nil {
			r.find(finding.Bad(CodeMalformed, "configuration", err.Error()))
		} else {
			_, found := load(raw, o)
			for _, f := range found {
				r.find(f)
			}
		}
	}
	return &r.plan, r.findings
}

type renderer struct {
	plan     Plan
	findings []finding.Finding
}

func (r *renderer) find(f finding.Finding) {
	if !slices.Contains(r.findings, f) {
		r.findings = append(r.findings, f)
	}
}

// begin is what all issuers have alike: nobody from outside may be of Kubernetes' own.
func (r *renderer) begin(i Issuer) v1.JWTAuthenticator {
	a := v1.JWTAuthenticator{
		Issuer: v1.Issuer{URL: i.URL, Audiences: i.Audiences, CertificateAuthority: i.CertificateAuthority},
		UserValidationRules: []v1.UserValidationRule{
			{Expression: "!user.username.startsWith('system:')", Message: "the username is one of Kubernetes' own"},
			{Expression: "user.groups.all(g, !g.startsWith('system:'))", Message: "a group is one of Kubernetes' own"},
		},
	}
	if i.DiscoveryURL != "" {
		a.Issuer.DiscoveryURL = &i.DiscoveryURL
	}
	if len(i.Audiences) > 1 {
		a.Issuer.AudienceMatchPolicy = v1.AudienceMatchPolicyMatchAny
	}
	return a
}

func (r *renderer) issuer(n int, i Issuer) {
	i.Preset = strings.ToLower(i.Preset)
	if !slices.Contains(Presets, i.Preset) {
		r.find(finding.Fix(finding.Sides(finding.Bad(CodePreset, fmt.Sprintf("issuers[%d]", n), "has a preset that is none"), strings.Join(Presets, ", "), i.Preset), "use oidc for a provider that is not listed"))
		return
	}
	if i.Name == "" && i.Preset != Pods {
		i.Name = i.Preset
	}
	where := fmt.Sprintf("issuers[%d] %s", n, cmp.Or(i.Name, i.Preset))
	i = addressed(i)
	if !r.described(where, i) {
		return
	}
	p := Planned{Name: i.Name, Preset: i.Preset}
	switch i.Preset {
	case Pods:
		p.JWTAuthenticator = r.pods(i)
	case GitHub:
		p.JWTAuthenticator = r.github(i)
	case GitLab:
		p.JWTAuthenticator = r.gitlab(i)
	default:
		p.JWTAuthenticator = r.person(where, i)
		p.username, p.groups = cmp.Or(i.UsernameClaim, people[i.Preset].username), cmp.Or(i.GroupsClaim, people[i.Preset].groups)
		p.named = len(i.GroupNames) > 0
	}
	for _, there := range r.plan.Issuers {
		if there.Name == i.Name {
			r.find(finding.Fix(finding.Bad(CodeSame, where, "has the name of another issuer, so that its users are the other's"), "give each a name of its own"))
		}
		if way := trust.Spelling(there.Issuer.URL, i.URL); way != "" {
			r.find(finding.Fix(finding.Sides(finding.Broad(CodeSame, where, "has the URL of another issuer but for "+way), there.Issuer.URL, i.URL), "write the iss claim of the tokens, to the letter"))
		}
	}
	r.plan.Issuers = append(r.plan.Issuers, p)
}

// addressed gives issuers the URL that they have for everybody.
func addressed(i Issuer) Issuer {
	switch {
	case i.URL != "":
	case i.Preset == Google:
		i.URL = googleIssuer
	case i.Preset == GitHub:
		i.URL = githubIssuer
	case i.Preset == GitLab:
		i.URL = gitlabIssuer
	case i.Preset == Entra && i.Tenant != "":
		i.URL = "https://login.microsoftonline.com/" + i.Tenant + "/v2.0"
	}
	return i
}

var claimName = regexp.MustCompile(`^[!-~]{1,200}$`)

// described reports whether enough was said of an issuer, and nothing that can never work.
func (r *renderer) described(where string, i Issuer) bool {
	before := len(r.findings)
	wrong := func(code, message, next string) { r.find(finding.Fix(finding.Bad(code, where, message), "%s", next)) }
	switch errs := validation.IsDNS1123Label(i.Name); {
	case i.Name == "":
		wrong(CodeName, "has no name, and its pods would have that of this cluster's", "name the cluster")
	case len(errs) > 0:
		wrong(CodeName, "has a name that is no DNS label, which comes before users and groups", "use lower-case letters, digits and hyphens")
	case i.Name == "system":
		wrong(CodeName, "has a name that Kubernetes keeps for itself", "choose another")
	}
	u, err := url.Parse(i.URL)
	switch {
	case i.URL == "":
		wrong(CodePreset, "has no url", "write the iss claim of its tokens, to the letter")
	case err != nil || u.Scheme != "https" || u.Host == "":
		wrong(CodePreset, "has a url that is not https, which the API server does not take: "+finding.Clip(i.URL), "give the issuer an https URL")
	case i.Preset == Pods && strings.HasPrefix(u.Hostname(), "kubernetes.default"):
		wrong(CodePreset, "has the issuer that clusters have by default, so that their tokens cannot be told apart", "give the other cluster an issuer of its own, --service-account-issuer, and publish its keys there: podpass issuer publish")
	case i.Preset == Auth0 && !strings.HasSuffix(i.URL, "/"):
		wrong(CodePreset, "has a url without the slash at its end, which Auth0's tokens have", "write "+finding.Clip(i.URL)+"/")
	case i.Preset == Entra && strings.HasPrefix(u.Path, "/common"), i.Preset == Entra && strings.HasPrefix(u.Path, "/organizations"):
		wrong(CodePreset, "has a url of no tenant, which no token has for its iss", "leave url out and give tenant")
	case i.Preset == Keycloak && strings.Contains(u.Path, "/protocol/"):
		wrong(CodePreset, "has the url of an endpoint, not of the realm", "write https://HOST/realms/REALM")
	}
	if i.Preset == Entra && !guid.MatchString(i.Tenant) {
		wrong(CodePreset, "has no tenant, or one that is not a GUID in lower case", "give the directory's tenant ID: az account show --query tenantId")
	}
	if len(i.Audiences) == 0 {
		wrong(CodePreset, "has no audiences", "for people it is the client ID, for pods and runs what they ask for, the API server's URL say")
	}
	switch {
	case i.Preset == Google && len(i.Domains) == 0:
		wrong(CodeAnybody, "lets in whoever has a Google account", "give domains")
	case i.Preset == GitHub && len(i.Owners) == 0:
		wrong(CodeAnybody, "lets in the workflows of everybody", "give owners")
	case i.Preset == GitLab && len(i.Owners) == 0 && i.URL == gitlabIssuer:
		wrong(CodeAnybody, "lets in the pipelines of everybody", "give owners")
	}
	for _, c := range []string{i.UsernameClaim, i.GroupsClaim} {
		if c != "" && !claimName.MatchString(c) {
			wrong(CodePreset, "names a claim that can be none", "write the claim as the token has it")
		}
	}
	if i.GroupNames != nil && cmp.Or(i.GroupsClaim, people[i.Preset].groups) == "" {
		wrong(CodePreset, "has groupNames and no groupsClaim", "name the claim")
	}
	if inside := trust.Unreachable(i.URL); i.Preset == Pods && inside != "" && i.DiscoveryURL == "" && len(r.findings) == before {
		r.find(finding.Fix(finding.Sides(finding.Broad(CodeReach, where, "has a url that "+inside+": the API server fetches the keys there, and its configuration has no place for them"), "", i.URL),
			"publish the issuer where it is reached (podpass issuer publish), or give discoveryURL"))
	}
	r.text(where, i)
	return len(r.findings) == before || finding.Worst(r.findings[before:]) != finding.Error
}

// text refuses what would break out of an expression, or hides from the reader.
func (r *renderer) text(where string, i Issuer) {
	texts := slices.Concat(i.Domains, i.Owners)
	for id, name := range i.GroupNames {
		texts = append(texts, id, name)
	}
	for _, t := range texts {
		if t == "" || strings.ContainsFunc(t, func(c rune) bool { return !unicode.IsPrint(c) }) {
			r.find(finding.Fix(finding.Sides(finding.Bad(CodePreset, where, "has a value that is empty or not printable"), "", t), "correct it"))
		}
	}
}
