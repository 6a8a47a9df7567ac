package gcptrust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Options of Render; the zero value grants to each ServiceAccount by itself.
type Options struct {
	// Namespaces grants to whole namespaces, those of the accounts, by the attribute
	// namespace: shorter, and broader.
	Namespaces bool
	// UploadKeys has the keys of every cluster that gives them uploaded, and not only of
	// those whose issuers Google cannot reach.
	UploadKeys bool
	// Role and Project are what ServiceAccounts under direct resource access are granted;
	// empty: a finding names the principal, and the grant is left to the reader.
	Role, Project string
}

const (
	// maxMembers of one policy. https://cloud.google.com/iam/quotas
	maxMembers = 1500
	// reserved is what names of pools and providers must not begin with.
	reserved = "gcp-"
)

// Render gives what Google Cloud must hold so that the accounts get the identities that
// they ask for: pools, their providers with an attribute mapping, and who may be which
// service account; of a GKE cluster or a fleet, which has its pool and provider already,
// the last alone. Accounts that ask for nothing in Google Cloud are left out, and said so
// in a finding of no consequence; those whose pods are denied with a warning. With an error
// among the findings the plan is not to be used.
func Render(accounts []trust.Account, o Options) (*Plan, []finding.Finding) {
	r := renderer{options: o}
	for _, a := range accounts {
		r.account(a)
	}
	if r.denied > 0 && r.denied == len(accounts) {
		r.find(finding.Fix(finding.Bad(CodeIdentity, "Google Cloud", "no ServiceAccount is left"), "mend their annotations first"))
	}
	r.limits()
	r.plan.sort()
	return &r.plan, r.findings
}

type renderer struct {
	options  Options
	plan     Plan
	denied   int // accounts
	findings []finding.Finding
}

func (r *renderer) find(f finding.Finding) {
	if !slices.Contains(r.findings, f) {
		r.findings = append(r.findings, f)
	}
}

func (r *renderer) account(a trust.Account) {
	where := "ServiceAccount " + a.Namespace + "/" + a.Name
	for _, p := range a.Answer.Errors {
		f := finding.Sides(finding.Broad(CodeIdentity, where, "is left out: its pods are denied: "+p.Code+": "+p.Where+": "+p.Message), "", p.Value)
		r.find(finding.Fix(f, "%s", p.Fix))
	}
	if len(a.Answer.Errors) > 0 {
		r.denied++
		return
	}
	if a.Answer.GCP == nil {
		f := finding.Finding{Code: CodeIdentity, Severity: finding.Info, Where: where, Message: "asks for no identity in Google Cloud"}
		r.find(finding.Fix(f, "annotate it with cloud.google.com/workload-identity-provider"))
		return
	}
	id := a.Answer.GCP.Identity
	p, ok := r.provider(a, id)
	if !ok {
		return
	}
	if !p.gke() && len(a.Subject()) > gcp.MaxSubject {
		f := finding.Sides(finding.Bad(CodeSubjectSize, where, fmt.Sprintf("has a subject of %d bytes, and Google takes %d", len(a.Subject()), gcp.MaxSubject)), "", a.Subject())
		r.find(finding.Fix(f, "give it a shorter name; or map google.subject to assertion['kubernetes.io'].serviceaccount.uid by hand, and grant to principals of that"))
		return
	}
	r.grants(a, id, p)
}

// provider adds the pool and the provider, and gives the principal that comes of it.
func (r *renderer) provider(a trust.Account, id gcp.Identity) (principal, bool) {
	if pool, issuer, ok := gcp.IdentityNamespace(id.Provider); ok {
		return principal{pool: pool, namespace: a.Namespace, account: a.Name, issuer: issuer}, true
	}
	p := PlannedProvider{Cluster: a.Cluster.Name, Provider: Provider{
		Name: strings.TrimPrefix(id.Provider, resource), AttributeMapping: defaultMapping(), OIDC: &OIDC{IssuerURI: a.Cluster.Issuer},
	}}
	where := "provider " + p.Name
	if !r.valid(where, p) || !r.keys(where, a.Cluster, p.OIDC) {
		return principal{}, false
	}
	if audiences := p.audiences(); !slices.Contains(audiences, id.Audience) {
		p.OIDC.AllowedAudiences = []string{id.Audience}
	}
	if !r.merge(where, p, id.Audience) {
		return principal{}, false
	}
	if pool := p.Pool(); !slices.Contains(r.plan.Pools, pool) {
		r.plan.Pools = append(r.plan.Pools, pool)
	}
	return principal{pool: p.Pool(), mapped: mapped{subject: a.Subject(), custom: map[string]string{attributeNamespace: a.Namespace}}}, true
}

// attributeNamespace is the custom attribute by which namespaces are granted to.
const attributeNamespace = "namespace"

// defaultMapping names the ServiceAccount in each way in which a policy may.
func defaultMapping() map[string]string {
	return map[string]string{
		keySubject:                     "assertion.sub",
		keyCustom + attributeNamespace: "assertion['kubernetes.io']['namespace']",
		keyCustom + "service_account":  "assertion['kubernetes.io']['serviceaccount']['name']",
	}
}

func (r *renderer) valid(where string, p PlannedProvider) bool {
	ok := true
	for _, id := range []string{p.poolID(), p.id()} {
		if strings.HasPrefix(id, reserved) {
			r.find(finding.Fix(finding.Sides(finding.Bad(CodeName, where, "has a name that begins with "+reserved+", which Google keeps for itself"), "", id), "choose another"))
			ok = false
		}
	}
	if location := p.location(); location != "global" {
		r.find(finding.Fix(finding.Sides(finding.Bad(CodeName, where, "is at a location where there are no pools"), "global", location), "correct the annotation"))
		ok = false
	}
	return ok
}

// keys adds the keys to be uploaded, if there are any, and reports whether Google can get
// at some.
func (r *renderer) keys(where string, c trust.Cluster, o *OIDC) bool {
	if !strings.HasPrefix(c.Issuer, "https://") {
		f := finding.Sides(finding.Bad(CodeIssuerUnreachable, where, "is for an issuer that is not an https URL, which Google does not take"), "", c.Issuer)
		r.find(finding.Fix(f, "give the API server one: --service-account-issuer"))
		return false
	}
	why := trust.Unreachable(c.Issuer)
	if len(c.JWKS) > 0 && (why != "" || r.options.UploadKeys) {
		keys, err := uploadable(c.JWKS)
		if err != nil {
			r.find(finding.Fix(finding.Bad(CodeKeys, where, "would be given keys that Google does not take: "+err.Error()), "take what kubectl get --raw /openid/v1/jwks prints"))
			return false
		}
		o.JWKSJSON = keys
		return true
	}
	if why != "" {
		f := finding.Sides(finding.Bad(CodeIssuerUnreachable, where, "is for an issuer that exists only in the cluster, so that Google cannot fetch its keys: it "+why), "", c.Issuer)
		f.Command = "kubectl get --raw /openid/v1/jwks"
		r.find(finding.Fix(f, "give the cluster's keys, to be uploaded"))
		return false
	}
	return true
}

// merge adds a provider, or an audience to the one of that name.
func (r *renderer) merge(where string, p PlannedProvider, audience string) bool {
	i := slices.IndexFunc(r.plan.Providers, func(other PlannedProvider) bool { return other.Name == p.Name })
	if i < 0 {
		r.plan.Providers = append(r.plan.Providers, p)
		return true
	}
	there := r.plan.Providers[i]
	if there.OIDC.IssuerURI != p.OIDC.IssuerURI || there.OIDC.JWKSJSON != p.OIDC.JWKSJSON {
		f := finding.Sides(finding.Bad(CodeConflict, where, "is asked for by ServiceAccounts of two clusters, and a provider has one issuer with one set of keys"), there.OIDC.IssuerURI, p.OIDC.IssuerURI)
		r.find(finding.Fix(f, "give each cluster a provider of its own, or both one issuer"))
		return false
	}
	allowed := there.audiences()
	if slices.Contains(allowed, audience) {
		return true
	}
	if len(there.OIDC.AllowedAudiences) == 0 {
		allowed = allowed[:1] // once audiences are listed, its own name has to be
	}
	there.OIDC.AllowedAudiences = append(slices.Clone(allowed), audience)
	return true
}

// grants adds who may be the service account, by way of its delegates if there are any.
func (r *renderer) grants(a trust.Account, id gcp.Identity, p principal) {
	member, user := p.name(), a.Namespace+"/"+a.Name
	if r.options.Namespaces && !p.gke() {
		member, user = setOf+p.pool+"/"+keyCustom+attributeNamespace+"/"+a.Namespace, "namespace "+a.Namespace
	}
	if a.Cluster.Name != "" {
		user += " of " + a.Cluster.Name
	}
	if id.ServiceAccount == "" {
		if r.options.Role != "" && r.options.Project != "" {
			r.plan.grant(Grant{Project: r.options.Project, Role: r.options.Role, Member: member, Users: []string{user}})
			return
		}
		f := finding.Finding{Code: CodeDirect, Severity: finding.Info, Where: "ServiceAccount " + a.Namespace + "/" + a.Name, Message: "impersonates no service account: grant its principal what it needs on the resources", Seen: member}
		r.find(finding.Fix(f, "gcloud projects add-iam-policy-binding PROJECT --role=ROLE --member=%s --condition=None, or the like for one resource", quote.Shell(finding.Clip(member))))
		return
	}
	role := roleUser
	for _, email := range append(slices.Clone(id.Delegates), id.ServiceAccount) {
		r.plan.grant(Grant{ServiceAccount: email, Role: role, Member: member, Users: []string{user}})
		role, member = roleCreator, "serviceAccount:"+email
	}
}

// limits are those of the plan as a whole.
func (r *renderer) limits() {
	members := map[string]int{}
	for _, g := range r.plan.Grants {
		members[g.ServiceAccount+g.Project]++
	}
	for _, g := range r.plan.Grants {
		if n := members[g.ServiceAccount+g.Project]; n > maxMembers {
			f := finding.Bad(CodePolicySize, "policy of "+g.ServiceAccount+g.Project, fmt.Sprintf("would have %d members, and IAM takes %d", n, maxMembers))
			r.find(finding.Fix(f, "grant to namespaces, or give the ServiceAccounts several service accounts"))
		}
	}
	var document Document
	for _, p := range r.plan.Providers {
		document.Providers = append(document.Providers, p.Provider)
	}
	for _, p := range document.Providers {
		for _, f := range (evaluation{document: document}).broadProvider(p) {
			r.find(f)
		}
	}
}
