package azuretrust

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// Options of Render; the zero value takes client IDs for those of managed identities.
type Options struct {
	// Application: the client IDs are those of applications.
	Application bool
}

// Limits of federated credentials.
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
const (
	maxPerIdentity = 20
	maxLength      = 600 // of an issuer
	maxName        = 120
)

// Render gives the federated credentials that managed identities or applications must have
// so that the accounts get the identities that they ask for. Accounts that ask for nothing
// in Azure are left out, and said so in a finding of no consequence; those whose pods are
// denied with a warning. With an error among the findings the plan is not to be used.
func Render(accounts []trust.Account, o Options) (*Plan, []finding.Finding) {
	r := renderer{options: o}
	for _, a := range accounts {
		r.account(a)
	}
	if r.denied > 0 && r.denied == len(accounts) {
		r.find(finding.Fix(bad(CodeIdentity, "Azure", "no ServiceAccount is left", "", ""), "mend their annotations first"))
	}
	for _, i := range r.plan.Identities {
		if n := len(i.Credentials); n > maxPerIdentity {
			f := bad(CodeLimit, "client "+i.ClientID, fmt.Sprintf("would have %d federated credentials, besides those that it has already, and Entra takes %d", n, maxPerIdentity), "", "")
			r.find(finding.Fix(f, "give the ServiceAccounts several identities, or let pods of one kind share a ServiceAccount"))
		}
	}
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
		f := bad(CodeIdentity, where, "is left out: its pods are denied: "+p.Code+": "+p.Where+": "+p.Message, "", p.Value)
		f.Severity = finding.Warning
		r.find(finding.Fix(f, "%s", p.Fix))
	}
	if len(a.Answer.Errors) > 0 {
		r.denied++
		return
	}
	if a.Answer.Azure == nil || a.Answer.Azure.ClientID == "" && len(a.Answer.Azure.Others) == 0 {
		f := bad(CodeIdentity, where, "names no client ID", "", "")
		f.Severity = finding.Info
		r.find(finding.Fix(f, "annotate it with azure.workload.identity/client-id"))
		return
	}
	id := a.Answer.Azure.Identity
	if !r.fits(where, a) {
		return
	}
	applications := slices.Clone(id.Others)
	if id.ClientID != "" {
		applications = append(applications, azure.Application{ClientID: id.ClientID, TenantID: id.TenantID})
	}
	for _, application := range applications {
		r.credential(application, a, id.Audience)
	}
	for _, f := range (Credential{Audiences: []string{id.Audience}}).tooBroad(federation.Claims{Issuer: a.Cluster.Issuer}) {
		f.Where = where
		r.find(f)
	}
}

// fits reports whether Entra can take the account's issuer and subject.
func (r *renderer) fits(where string, a trust.Account) bool {
	if why := trust.Unreachable(a.Cluster.Issuer); why != "" {
		f := bad(CodeIssuerUnreachable, where, "has an issuer that exists only in the cluster, so that Entra cannot fetch its keys: it "+why, "", a.Cluster.Issuer)
		r.find(finding.Fix(f, "publish the cluster's discovery document and keys, and let the API server issue for that URL: --service-account-issuer"))
		return false
	}
	// A subject cannot be too long: namespace and name have 63 and 253 characters at most.
	if n := len(a.Cluster.Issuer); n > maxLength {
		f := bad(CodeLength, where, fmt.Sprintf("has an issuer of %d characters, and Entra takes %d", n, maxLength), "", a.Cluster.Issuer)
		r.find(finding.Fix(f, "give the API server a shorter one: --service-account-issuer"))
		return false
	}
	return true
}

func (r *renderer) credential(to azure.Application, a trust.Account, audience string) {
	i := slices.IndexFunc(r.plan.Identities, func(i PlannedIdentity) bool { return strings.EqualFold(i.ClientID, to.ClientID) })
	if i < 0 {
		i = len(r.plan.Identities)
		r.plan.Identities = append(r.plan.Identities, PlannedIdentity{ClientID: strings.ToLower(to.ClientID), TenantID: to.TenantID, Application: r.options.Application})
	}
	identity := &r.plan.Identities[i]
	user := a.Namespace + "/" + a.Name
	if a.Cluster.Name != "" {
		user += " of " + a.Cluster.Name
	}
	for n, c := range identity.Credentials {
		if c.Issuer == a.Cluster.Issuer && c.Subject == a.Subject() {
			// Clusters that share an issuer share subjects, too.
			if !slices.Contains(strings.Split(c.User, ", "), user) {
				identity.Credentials[n].User += ", " + user
			}
			return
		}
	}
	identity.Credentials = append(identity.Credentials, PlannedCredential{User: user, Credential: Credential{
		Name: nameOf(a), Issuer: a.Cluster.Issuer, Subject: a.Subject(), Audiences: []string{audience},
	}})
}

var notName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameOf is a credential's name: cluster, namespace and ServiceAccount, between which
// stands what neither of the last two may hold; with a digest where a name may not hold
// all of them, or there is no cluster's name to tell clusters apart.
func nameOf(a trust.Account) string {
	words := a.Cluster.Name + "_" + a.Namespace + "_" + a.Name
	name := strings.Trim(notName.ReplaceAllString(words, "-"), "_-")
	if name == words && len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(a.Cluster.Issuer + "\n" + a.Subject()))
	digest := "-" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), maxName-len(digest))] + digest
}
