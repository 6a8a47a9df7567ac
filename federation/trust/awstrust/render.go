package awstrust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// Options of Render; the zero value trusts each ServiceAccount by itself, within IAM's
// default quota.
type Options struct {
	// Namespaces trusts whole namespaces, those of the accounts, rather than each
	// ServiceAccount: shorter, and broader.
	Namespaces bool
	// RaisedQuota: the AWS account's quota for trust policies is 4,096 characters.
	RaisedQuota bool
	// Thumbprints of the issuers' certificate authorities, in hex, for versions of AWS's
	// tools that demand them; IAM itself has not needed any since 2024.
	Thumbprints []string
}

// Render gives what AWS must hold so that the accounts get the roles that they ask for:
// per AWS account an IAM OIDC provider for each issuer, the roles with one trust policy
// each, whoever shares it, and the further roles of chains with what lets the one before
// assume them. Accounts that ask for nothing in AWS, or whose annotations deny their pods,
// are left out, and a finding says so. With an error among the findings the plan is not
// to be used.
func Render(accounts []trust.Account, o Options) (*Plan, []finding.Finding) {
	r := renderer{options: o, roles: map[string]*role{}, providers: map[string]*PlannedProvider{}}
	for _, a := range accounts {
		r.account(a)
	}
	p := &Plan{}
	for _, arn := range slices.Sorted(maps.Keys(r.roles)) {
		p.Roles = append(p.Roles, r.plan(r.roles[arn]))
	}
	// Whom a trust policy names must be there first.
	slices.SortStableFunc(p.Roles, func(a, b PlannedRole) int { return a.depth - b.depth })
	for _, arn := range slices.Sorted(maps.Keys(r.providers)) {
		provider := r.providers[arn]
		slices.Sort(provider.ClientIDs)
		if n := len(provider.ClientIDs); n > maxClientIDs {
			r.find(finding.Error, CodeTooLong, "provider of "+provider.Issuer, finding.Finding{
				Message: fmt.Sprintf("has %d audiences, and IAM takes %d", n, maxClientIDs), Fix: "give the ServiceAccounts one audience",
			})
		}
		p.Providers = append(p.Providers, *provider)
	}
	if len(p.Roles) == 0 && finding.Worst(r.findings) != finding.Error {
		r.find(finding.Error, CodeIdentity, "AWS", finding.Finding{Message: "no ServiceAccount is left whose role could be rendered", Fix: "annotate one with eks.amazonaws.com/role-arn"})
	}
	return p, r.findings
}

// renderer gathers, by ARN, what is asked of each role and provider.
type renderer struct {
	options   Options
	roles     map[string]*role
	providers map[string]*PlannedProvider
	findings  []finding.Finding
}

// role is what is asked of one.
type role struct {
	arn     aws.RoleARN
	depth   int                          // its place in the longest chain
	web     map[webTrust]map[string]bool // subjects
	chain   map[chainTrust]bool          // with session tags
	assumes map[string]bool              // roles, with session tags
	seconds int                          // of the longest session
	users   map[string]bool              // ServiceAccounts, for comments
}

// webTrust has a statement of its own, so that no audience goes with the subjects of
// another.
type webTrust struct{ issuer, audience string }

// chainTrust too.
type chainTrust struct{ from, externalID string }

func (r *renderer) find(severity finding.Severity, code, where string, f finding.Finding) {
	f.Severity, f.Code, f.Where = severity, code, where
	if !slices.Contains(r.findings, f) {
		r.findings = append(r.findings, f)
	}
}

// account adds one ServiceAccount's.
func (r *renderer) account(a trust.Account) {
	where := "ServiceAccount " + a.Namespace + "/" + a.Name
	for _, p := range a.Answer.Errors {
		r.find(finding.Warning, CodeIdentity, where, finding.Finding{Message: "is left out: its pods are denied: " + p.Code + ": " + p.Where + ": " + p.Message, Seen: p.Value, Fix: p.Fix})
	}
	if len(a.Answer.Errors) > 0 {
		return
	}
	if a.Answer.AWS == nil {
		r.find(finding.Info, CodeIdentity, where, finding.Finding{Message: "asks for no identity in AWS", Fix: "annotate it with eks.amazonaws.com/role-arn"})
		return
	}
	if !r.issuer(a.Cluster.Issuer) {
		return
	}
	id := a.Answer.AWS.Identity
	for _, arn := range slices.Concat([]string{id.RoleARN}, others(id), id.Chain) {
		parsed, err := aws.ParseRoleARN(arn)
		if err != nil || !aws.IsAWSPartition(parsed.Partition) {
			r.find(finding.Warning, CodeIdentity, where, finding.Finding{Message: "is left out: its role is not one of AWS's IAM", Seen: arn, Fix: "set up trust as that server's own documentation says"})
			return
		}
	}
	for _, arn := range append(others(id), id.RoleARN) {
		to := r.role(arn, 0, a)
		key := webTrust{a.Cluster.Issuer, id.Audience}
		if to.web[key] == nil {
			to.web[key] = map[string]bool{}
		}
		to.web[key][r.subject(a)] = true
		r.provider(to.arn, a.Cluster, id.Audience)
	}
	if len(id.Chain) == 0 {
		first := r.roles[id.RoleARN]
		first.seconds = max(first.seconds, id.SessionDuration)
	}
	r.chain(a, id)
}

func others(id aws.Identity) []string {
	var list []string
	for _, o := range id.Others {
		list = append(list, o.RoleARN)
	}
	return list
}

// chain adds the further roles, each assumed with the credentials of the one before.
func (r *renderer) chain(a trust.Account, id aws.Identity) {
	from := id.RoleARN
	for n, arn := range id.Chain {
		to := r.role(arn, n+1, a)
		for other := range to.chain {
			if other.from == from && (other.externalID == "") != (id.ExternalID == "") {
				r.find(finding.Warning, CodeChain, "role "+to.arn.Name, finding.Finding{
					Message: "is assumed from " + from + " by some ServiceAccounts with an external ID and by others without: the ID protects nothing then",
					Fix:     "annotate all of them with podpass.io/aws-external-id, or none",
				})
			}
		}
		key := chainTrust{from, id.ExternalID}
		to.chain[key] = to.chain[key] || id.SessionTags
		source := r.roles[from]
		source.assumes[arn] = source.assumes[arn] || id.SessionTags
		from = arn
	}
}

func (r *renderer) role(arn string, depth int, a trust.Account) *role {
	to, ok := r.roles[arn]
	if !ok {
		parsed, _ := aws.ParseRoleARN(arn) // account has checked it
		to = &role{arn: parsed, web: map[webTrust]map[string]bool{}, chain: map[chainTrust]bool{}, assumes: map[string]bool{}, users: map[string]bool{}}
		r.roles[arn] = to
	}
	to.depth = max(to.depth, depth)
	user := a.Namespace + "/" + a.Name
	if a.Cluster.Name != "" {
		user += " of " + a.Cluster.Name
	}
	to.users[user] = true
	return to
}

// subject is the value of a condition.
func (r *renderer) subject(a trust.Account) string {
	if r.options.Namespaces {
		return "system:serviceaccount:" + a.Namespace + ":*"
	}
	return a.Subject()
}

func (r *renderer) provider(role aws.RoleARN, c trust.Cluster, audience string) {
	arn := ProviderARN(role, c.Issuer)
	p, ok := r.providers[arn]
	if !ok {
		p = &PlannedProvider{ARN: arn, Account: role.Account, Issuer: c.Issuer, Cluster: c.Name, Thumbprints: r.options.Thumbprints}
		r.providers[arn] = p
	}
	p.Cluster = cmp.Or(p.Cluster, c.Name)
	if !slices.Contains(p.ClientIDs, audience) {
		p.ClientIDs = append(p.ClientIDs, audience)
	}
}

// issuer reports whether AWS can take it.
func (r *renderer) issuer(issuer string) bool {
	const limit = 255 // of CreateOpenIDConnectProvider's Url
	f := finding.Finding{Seen: issuer}
	switch host, _, _ := strings.Cut(strings.TrimPrefix(issuer, "https://"), "/"); {
	case trust.Unreachable(issuer) != "":
		f.Message = trust.Unreachable(issuer) + ", so that AWS cannot fetch its keys"
	case strings.ContainsAny(issuer, "?#"):
		f.Message = "has a query or a fragment, which OpenID Connect does not allow"
	case len(issuer) > limit:
		f.Message = fmt.Sprintf("has %d characters, and IAM takes %d", len(issuer), limit)
	case strings.Contains(host, ":"):
		f.Message = "has a port, which IAM's documentation advises against for a provider's URL"
		f.Fix = "try it; if IAM refuses it, publish the discovery document on port 443"
		r.find(finding.Warning, CodeUnreachable, "issuer", f)
		return true
	default:
		return true
	}
	f.Fix = "give the cluster an issuer that the internet can reach over https (the API server's --service-account-issuer), and publish its discovery document and keys there"
	r.find(finding.Error, CodeUnreachable, "issuer", f)
	return false
}
