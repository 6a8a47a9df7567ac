package awstrust

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/finding"
)

// Plan is what AWS must hold. It implements trust.Plan.
type Plan struct {
	Providers []PlannedProvider
	// Roles are in an order in which they can be made.
	Roles []PlannedRole
}

// PlannedProvider is an IAM OIDC provider.
type PlannedProvider struct {
	ARN     string
	Account string
	// Issuer is the URL.
	Issuer      string
	ClientIDs   []string
	Thumbprints []string
	// Cluster is its name; it may be empty.
	Cluster string
}

// PlannedRole is a role.
type PlannedRole struct {
	ARN    aws.RoleARN
	Policy Policy
	// MaxSessionDuration in seconds.
	MaxSessionDuration int
	// Permissions let the role assume the next ones of its chains; nil: it is in none,
	// or the last.
	Permissions *Policy
	// Users are the ServiceAccounts that it is for: "shop/orders of prod".
	Users []string

	depth int
}

// users are some of the role's, for a comment of one line.
func (r PlannedRole) users() string {
	const shown = 5 // more would be the policy again
	if n := len(r.Users); n > shown {
		return oneLine(strings.Join(r.Users[:shown], ", ")) + fmt.Sprintf(" and %d more", n-shown)
	}
	return oneLine(strings.Join(r.Users, ", "))
}

// Limits of IAM, in characters and in number.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	policyLimit       = 2048 // by default
	raisedPolicyLimit = 4096 // at most, on request
	maxClientIDs      = 100  // of one provider
	minDuration       = 3600 // the least that a role's MaxSessionDuration can be
)

// languageVersion is that of the policy language.
const languageVersion = "2012-10-17"

func (r *renderer) plan(to *role) PlannedRole {
	p := PlannedRole{ARN: to.arn, Policy: Policy{Version: languageVersion}, MaxSessionDuration: max(to.seconds, minDuration), Users: slices.Sorted(maps.Keys(to.users)), depth: to.depth}
	for _, web := range slices.SortedFunc(maps.Keys(to.web), func(a, b webTrust) int {
		return cmp.Or(strings.Compare(a.issuer, b.issuer), strings.Compare(a.audience, b.audience))
	}) {
		p.Policy.Statements = append(p.Policy.Statements, r.webStatement(to.arn, web, slices.Sorted(maps.Keys(to.web[web]))))
	}
	for _, chain := range slices.SortedFunc(maps.Keys(to.chain), func(a, b chainTrust) int {
		return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.externalID, b.externalID))
	}) {
		s := Statement{Effect: "Allow", Principal: &Principal{AWS: Strings{chain.from}}, Action: assumeActions(to.chain[chain])}
		if chain.externalID != "" {
			s.Condition = map[string]map[string]Strings{"StringEquals": {"sts:ExternalId": {chain.externalID}}}
		}
		p.Policy.Statements = append(p.Policy.Statements, s)
	}
	if len(to.assumes) > 0 {
		p.Permissions = permissions(to.assumes)
	}
	r.length(p)
	return p
}

func (r *renderer) webStatement(to aws.RoleARN, web webTrust, subjects []string) Statement {
	issuer := strings.TrimPrefix(web.issuer, "https://")
	s := Statement{
		Effect: "Allow", Principal: &Principal{Federated: Strings{ProviderARN(to, web.issuer)}}, Action: Strings{action},
		Condition: map[string]map[string]Strings{"StringEquals": {issuer + ":aud": {web.audience}}},
	}
	operator := "StringEquals"
	if r.options.Namespaces {
		operator = "StringLike"
		s.Condition[operator] = map[string]Strings{}
	}
	s.Condition[operator][issuer+":sub"] = subjects
	return s
}

// assumeActions are those of a link of a chain; its session tags are an action of their
// own.
func assumeActions(tags bool) Strings {
	if tags {
		return Strings{"sts:AssumeRole", "sts:TagSession"}
	}
	return Strings{"sts:AssumeRole"}
}

// permissions let a role assume others.
func permissions(assumes map[string]bool) *Policy {
	p := &Policy{Version: languageVersion}
	for _, tags := range []bool{false, true} {
		var arns Strings
		for _, arn := range slices.Sorted(maps.Keys(assumes)) {
			if assumes[arn] == tags {
				arns = append(arns, arn)
			}
		}
		if arns != nil {
			p.Statements = append(p.Statements, Statement{Effect: "Allow", Action: assumeActions(tags), Resource: arns})
		}
	}
	return p
}

// length checks a trust policy's, as IAM counts: without white space.
func (r *renderer) length(p PlannedRole) {
	text, err := p.Policy.compact()
	if err != nil {
		r.find(finding.Error, CodeTooLong, "role "+p.ARN.Name, finding.Finding{Message: err.Error()})
		return
	}
	n := len([]rune(string(text)))
	f := finding.Finding{
		Message:  fmt.Sprintf("its trust policy has %d characters", n),
		Expected: fmt.Sprintf("at most %d", policyLimit), Seen: fmt.Sprint(n),
		Fix: fmt.Sprintf("have the account's quota \"Role trust policy length\" raised to %d, and say so with --raised-quota; or trust whole namespaces with --namespaces; or give ServiceAccounts roles of their own", raisedPolicyLimit),
	}
	switch {
	case n <= policyLimit || r.options.RaisedQuota && n <= raisedPolicyLimit:
		return
	case n > raisedPolicyLimit:
		f.Expected = fmt.Sprintf("at most %d, with a raised quota", raisedPolicyLimit)
		f.Fix = "trust whole namespaces with --namespaces; or let the clusters share one issuer; or give ServiceAccounts roles of their own"
	}
	r.find(finding.Error, CodeTooLong, "role "+p.ARN.Name, f)
}

// compact is the policy as IAM stores it.
func (p Policy) compact() ([]byte, error) { return encode(p, "") }

// indented is the policy as people read it.
func (p Policy) indented(prefix string) (string, error) {
	b, err := encode(p, "  ")
	return strings.ReplaceAll(string(b), "\n", "\n"+prefix), err
}

// encode is JSON without HTML's escapes.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
