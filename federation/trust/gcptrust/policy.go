package gcptrust

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Roles that hold iam.serviceAccounts.getAccessToken.
// https://cloud.google.com/iam/docs/roles-permissions/iam
const (
	roleUser    = "roles/iam.workloadIdentityUser"
	roleCreator = "roles/iam.serviceAccountTokenCreator"
)

func grants(role string) bool { return role == roleUser || role == roleCreator }

// policy says which binding lets the principal have the service account's tokens; with
// "", why none does. Findings of one that lets it in are what is too broad.
func (e evaluation) policy(where string, policy Policy, p principal) (string, []finding.Finding) {
	var by string
	var broadly, refused []finding.Finding
	for n, b := range policy.Bindings {
		at := fmt.Sprintf("%s bindings[%d]", where, n)
		for _, text := range b.Members {
			if !grants(b.Role) || !p.stands(text) {
				continue
			}
			if found := e.bindingCondition(at, b); found != nil {
				refused = append(refused, found...)
				break // the condition is the same for the others
			}
			if by == "" {
				by = at + " " + b.Role + " " + finding.Clip(text)
			}
			broadly = append(broadly, tooBroad(at, b.Role, text)...)
		}
	}
	switch {
	case by != "":
		return by, broadly
	case refused != nil:
		return "", refused
	}
	return "", []finding.Finding{e.nearest(where, policy, p)}
}

func tooBroad(at, role, text string) []finding.Finding {
	var found []finding.Finding
	if whole(text) {
		f := finding.Sides(finding.Broad(CodeBroadPool, at, "lets everybody in whom the pool's providers take: every ServiceAccount of their clusters"), "one principal, or a principalSet by attribute", text)
		if text == "allUsers" {
			f.Message = "lets everybody in, with a token or without"
		}
		found = append(found, finding.Fix(f, "name the principal instead"))
	}
	if role == roleCreator {
		f := finding.Sides(finding.Broad(CodeBroadRole, at, "lets the pod sign anything in the service account's name, and not only have its tokens"), roleUser, role)
		found = append(found, finding.Fix(f, "grant %s instead", roleUser))
	}
	return found
}

// bindingCondition says why a binding's condition keeps it from counting; nil: it counts.
// Time is the token's iat, or now where it has none.
func (e evaluation) bindingCondition(at string, b Binding) []finding.Finding {
	if b.Condition == nil || b.Condition.Expression == "" {
		return nil
	}
	where := at + " condition"
	known, err := newEngine(map[string]*cel.Type{
		"request": cel.MapType(cel.StringType, cel.DynType), "resource": cel.MapType(cel.StringType, cel.DynType),
	})
	if err != nil {
		return []finding.Finding{finding.Bad(CodeConditionUnknown, where, err.Error())}
	}
	now := e.token.IssuedAt
	if now.IsZero() {
		now = time.Now()
	}
	value, err := known.eval(b.Condition.Expression, map[string]any{
		"request":  map[string]any{"time": now},
		"resource": map[string]any{"type": "iam.googleapis.com/ServiceAccount", "service": "iam.googleapis.com"},
	})
	switch {
	case err != nil:
		f := finding.Sides(finding.Bad(CodeConditionUnknown, where, "is about what is not known here, and so is not guessed: "+err.Error()), "", b.Condition.Expression)
		return []finding.Finding{finding.Fix(f, "grant the role without a condition, or ask the cloud itself: podpass token gcp SERVICEACCOUNT")}
	case value == types.True:
		return nil
	}
	f := finding.Sides(finding.Bad(CodeBindingCondition, where, "does not hold at "+now.UTC().Format(time.RFC3339)), b.Condition.Expression, "")
	return []finding.Finding{finding.Fix(f, "renew the binding, or remove its condition")}
}

// nearest explains by the member that comes closest why no binding lets the principal in.
func (e evaluation) nearest(where string, policy Policy, p principal) finding.Finding {
	var best finding.Finding
	rank := 0
	var seen []string
	for n, b := range policy.Bindings {
		for _, text := range b.Members {
			if grants(b.Role) && len(seen) < 5 {
				seen = append(seen, text)
			}
			f, r := p.near(fmt.Sprintf("%s bindings[%d]", where, n), b.Role, text)
			if r > rank {
				best, rank = f, r
			}
		}
	}
	if rank == 0 {
		best = finding.Sides(finding.Bad(CodeNoMember, where, "gives the token's principal no access to the service account"), p.name(), strings.Join(seen, ", "))
		on := "EMAIL --project=PROJECT" // gcloud takes no email alone, unless a project is configured
		if policy.Resource != "" {
			on = quote.Shell(policy.Resource)
		}
		best = finding.Fix(best, "grant it: gcloud iam service-accounts add-iam-policy-binding %s --role=%s --member=%s", on, roleUser, quote.Shell(finding.Clip(p.name())))
	}
	return best
}

// near says how a member misses the principal, and how closely; 0: it is about another.
func (p principal) near(at, role, text string) (finding.Finding, int) {
	want := p.name()
	miss := func(code, message, next string, closeness int) (finding.Finding, int) {
		return finding.Fix(finding.Sides(finding.Bad(code, at, message), want, text), "%s", next), closeness
	}
	if p.stands(text) {
		f := finding.Sides(finding.Bad(CodeRole, at, roleMessage(role)), roleUser, role)
		return finding.Fix(f, "grant %s on the service account", roleUser), 6
	}
	if !grants(role) {
		return finding.Finding{}, 0
	}
	if way := spelling(want, text); way != "" {
		return miss(CodeMemberForm, "differs from the token's principal in "+way+", and Google compares to the letter", "write it as expected", 4)
	}
	if p.gke() {
		return p.nearGKE(text, miss)
	}
	m, ok := parseMember(text)
	switch {
	case !ok && strings.HasSuffix(text, "/"+p.subject), !ok && strings.Contains(text, p.subject):
		return miss(CodeMemberForm, "is not written as IAM reads it", "write principal://iam.googleapis.com/ before the pool, and /subject/ after it", 3)
	case !ok && p.subject != "" && strings.HasSuffix(text, "["+subjectOfGKE(p.subject)+"]"):
		return miss(CodeMemberForm, "is the form of GKE, and the token comes through a pool of your own", "grant it to the principal of that pool", 3)
	case !ok:
		return finding.Finding{}, 0
	case !slices.Contains(p.paths(), m.path):
		if name, _, _ := strings.Cut(strings.TrimPrefix(m.path, keyCustom), "/"); p.pool == m.pool && strings.HasPrefix(m.path, keyCustom) && p.custom[name] == "" {
			return miss(CodeNoMember, "is by attribute."+name+", which the provider does not map", "map the attribute in the provider, or name the subject", 2)
		}
		return finding.Finding{}, 0
	case !m.well():
		return miss(CodeMemberForm, "has the wrong scheme: one subject is a principal://, all else a principalSet://", "correct the scheme", 5)
	case !digits.MatchString(m.project):
		f, r := miss(CodeProjectID, "names project "+finding.Clip(m.project)+" by its ID, and IAM wants its number", "write the number", 5)
		f.Command = "gcloud projects describe " + finding.Clip(m.project) + " --format='value(projectNumber)'"
		return f, r
	}
	return miss(CodeOtherPool, "is of another pool than the token comes through", "grant it to the principal of the provider's own pool", 3)
}

// nearGKE is near for pools of GKE clusters and fleets.
func (p principal) nearGKE(text string, miss func(string, string, string, int) (finding.Finding, int)) (finding.Finding, int) {
	rest, ok := strings.CutPrefix(text, "serviceAccount:")
	pool, account, bracket := strings.Cut(rest, "[")
	switch {
	case !ok || !bracket:
		return finding.Finding{}, 0
	case pool == p.pool && account == p.account+"/"+p.namespace+"]":
		return miss(CodeMemberForm, "has the namespace and the name the wrong way round", "write [namespace/name]", 5)
	case account == p.namespace+"/"+p.account+"]" && digits.MatchString(strings.TrimSuffix(pool, googlePool)):
		return miss(CodeMemberForm, "names the project by its number, and this form has its ID", "write the project's ID", 5)
	case account == p.namespace+"/"+p.account+"]":
		return miss(CodeOtherPool, "is of another pool than the token comes through", "grant it to the principal of the token's own pool", 3)
	}
	return finding.Finding{}, 0
}

// subjectOfGKE is how GKE writes a ServiceAccount in brackets.
func subjectOfGKE(subject string) string {
	return strings.ReplaceAll(strings.TrimPrefix(subject, "system:serviceaccount:"), ":", "/")
}

func roleMessage(role string) string {
	switch {
	case role == "roles/iam.serviceAccountUser":
		return "gives the principal a role that lets it attach the service account to machines, and not have its tokens"
	case role == "roles/iam.serviceAccountOpenIdTokenCreator":
		return "gives the principal a role for ID tokens alone"
	case strings.HasPrefix(role, "roles/"):
		return "gives the principal a role that does not hold iam.serviceAccounts.getAccessToken"
	}
	return "gives the principal a custom role, and whether that holds iam.serviceAccounts.getAccessToken is not in the policy"
}
