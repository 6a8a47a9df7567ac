package awstrust

import (
	"cmp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/finding"
)

// providerResource begins the last part of an IAM OIDC provider's ARN; the issuer
// without https:// follows.
const providerResource = "oidc-provider/"

// providerARN is that of the provider for the token's issuer, in the role's account.
func (e evaluation) providerARN() string {
	role, err := aws.ParseRoleARN(e.document.Role.ARN)
	if err != nil { // only the policy is known
		return "arn:aws:iam::ACCOUNT:" + providerResource + e.request.issuer()
	}
	return ProviderARN(role, e.request.Claims.Issuer)
}

// ProviderARN is that of an issuer's IAM OIDC provider in a role's account, where it
// must be.
func ProviderARN(role aws.RoleARN, issuer string) string {
	return "arn:" + role.Partition + ":iam::" + role.Account + ":" + providerResource + strings.TrimPrefix(issuer, "https://")
}

// principal evaluates Principal or NotPrincipal.
func (e evaluation) principal(place string, s Statement) (finding.Finding, bool) {
	p, want, element := s.Principal, true, "Principal"
	if s.NotPrincipal != nil {
		p, want, element = s.NotPrincipal, false, "NotPrincipal"
	}
	named := p.Everyone || slices.ContainsFunc(p.Federated, e.isProvider)
	if named == want {
		return finding.Finding{}, true
	}
	if !want {
		return e.error(CodeOtherIssuer, place+" "+element, finding.Finding{Message: "leaves out the token's issuer", Seen: strings.Join(p.all(), ", ")}), false
	}
	code, message, fix := e.notProvider(p)
	return e.error(code, place+" "+element, finding.Finding{
		Message: message, Expected: e.providerARN(), Seen: strings.Join(p.all(), ", "), Fix: fix,
	}), false
}

// isProvider reports whether a Federated principal is the provider of the token's
// issuer, in the account of the role.
func (e evaluation) isProvider(federated string) bool {
	if federated == "*" {
		return true
	}
	account, issuer, ok := splitProvider(federated)
	return ok && issuer == e.request.issuer() && e.ownAccount(account)
}

// ownAccount reports whether "arn:aws:iam::ACCOUNT" is the role's own.
func (e evaluation) ownAccount(account string) bool {
	role, err := aws.ParseRoleARN(e.document.Role.ARN)
	return err != nil || account == "arn:"+role.Partition+":iam::"+role.Account
}

// splitProvider takes a provider's ARN apart, at the last colon before the issuer.
func splitProvider(arn string) (account, issuer string, ok bool) {
	account, issuer, ok = strings.Cut(arn, ":"+providerResource)
	return account, issuer, ok && strings.HasPrefix(arn, "arn:")
}

// notProvider says why none of the principals is the issuer's provider: the nearest miss
// counts.
func (e evaluation) notProvider(p *Principal) (code, message, fix string) {
	issuer := e.request.issuer()
	miss := func(near func(account, of string, isARN bool) bool) bool {
		return slices.ContainsFunc(p.Federated, func(f string) bool {
			account, of, ok := splitProvider(f)
			if !ok {
				of = f
			}
			return near(account, of, ok)
		})
	}
	switch {
	case miss(func(_, of string, isARN bool) bool { return isARN && of == issuer }):
		return CodeAccount, "is a provider of another account or partition, and STS looks in the role's own",
			"make the provider in the role's account, and name that one"
	case miss(func(_, of string, isARN bool) bool { return isARN && sameButSlash(of, issuer) }):
		return CodeTrailingSlash, "differs from the token's issuer by the / at its end, and is another issuer to AWS",
			"make the provider for exactly the iss claim, " + e.request.Claims.Issuer
	case miss(func(_, of string, isARN bool) bool { return isARN && strings.EqualFold(of, issuer) }):
		return CodeCase, "differs from the token's issuer in upper and lower case, which count",
			"write it as in the iss claim, " + e.request.Claims.Issuer
	case miss(func(_, of string, isARN bool) bool {
		return strings.Contains(of, "://") || !isARN && (of == issuer || sameButSlash(of, issuer))
	}):
		return CodePrincipalForm, "is not the ARN of an IAM OIDC provider: no https:// belongs into one, and a URL alone is none",
			"name the provider's ARN; aws iam list-open-id-connect-providers prints it"
	case len(p.Federated) > 0:
		return CodeOtherIssuer, "is the provider of another issuer than the token's",
			"allow the provider of the cluster's own issuer, which has its own statement: podpass trust aws renders it"
	case len(p.AWS) > 0:
		return CodeAccountOnly, "trusts accounts, users and roles of AWS, and no OIDC provider: a ServiceAccount's token is none of them",
			"add a statement for the cluster's provider; or, if the role is meant as a further one of a chain, annotate another role first"
	case slices.Contains(p.Service, "pods.eks.amazonaws.com"):
		return CodeServiceOnly, "trusts EKS Pod Identity, which needs its agent and an association, and no OIDC provider",
			"add a statement for the cluster's provider: podpass trust aws renders it"
	}
	return CodeServiceOnly, "trusts services of AWS, and no OIDC provider: it is a role for " + cmp.Or(strings.Join(p.Service, ", "), "nobody"),
		"add a statement for the cluster's provider, or annotate a role that is meant for pods"
}

// sameButSlash reports whether two issuers differ by a / at the end alone.
func sameButSlash(a, b string) bool {
	return a != b && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// providers says what is wrong with the account's OIDC providers, if they are known.
func (e evaluation) providers() []finding.Finding {
	if len(e.document.Providers) == 0 {
		return nil
	}
	issuer, audiences := e.request.issuer(), e.request.Claims.Audiences
	var near Provider
	for _, p := range e.document.Providers {
		url := strings.TrimPrefix(p.URL, "https://")
		if url == issuer {
			if slices.ContainsFunc(p.ClientIDs, func(id string) bool { return slices.Contains(audiences, id) }) {
				return nil
			}
			return []finding.Finding{e.error(CodeClientID, "provider "+url+" ClientIDList", finding.Finding{
				Message: "does not list the token's audience", Expected: strings.Join(p.ClientIDs, ", "), Seen: strings.Join(audiences, ", "),
				Fix: "add the audience to the provider, or annotate the ServiceAccount with one that it lists",
			})}
		}
		if near.URL == "" || sameButSlash(url, issuer) || strings.EqualFold(url, issuer) {
			near = p
		}
	}
	url := strings.TrimPrefix(near.URL, "https://")
	code, message := CodeOtherIssuer, "is for another issuer than the token's"
	switch {
	case sameButSlash(url, issuer):
		code, message = CodeTrailingSlash, "differs from the token's issuer by the / at its end"
	case strings.EqualFold(url, issuer):
		code, message = CodeCase, "differs from the token's issuer in upper and lower case, which count"
	}
	return []finding.Finding{e.error(code, "provider "+url, finding.Finding{
		Message: message, Expected: url, Seen: issuer, Fix: "make an IAM OIDC provider for exactly the iss claim, " + e.request.Claims.Issuer,
	})}
}
