package gcptrust

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// resource is what STS and IAM put before a name.
const resource = "//iam.googleapis.com/"

// provider says whether a provider takes the token, and which attributes it then has.
func (e evaluation) provider(p Provider) (mapped, []finding.Finding) {
	where := "provider " + p.Name
	if found := e.inactive(p); found != nil {
		return mapped{}, found
	}
	if p.OIDC == nil {
		return mapped{}, []finding.Finding{finding.Fix(finding.Bad(CodeNotOIDC, where, "is not an OIDC provider, and takes no ServiceAccount's token"), "create one with gcloud iam workload-identity-pools providers create-oidc")}
	}
	found := append(e.issuer(p), e.audience(p)...)
	m, problems := e.mapping(p)
	found = append(found, problems...)
	if finding.Worst(problems) != finding.Error {
		found = append(found, e.condition(p, m)...)
	}
	return m, found
}

// inactive says that the provider, or its pool, is switched off.
func (e evaluation) inactive(p Provider) []finding.Finding {
	check := func(where, state string, disabled bool) []finding.Finding {
		switch {
		case state == "DELETED":
			return []finding.Finding{finding.Fix(finding.Sides(finding.Bad(CodeInactive, where, "is deleted"), "ACTIVE", state), "gcloud has undelete for 30 days")}
		case disabled:
			return []finding.Finding{finding.Fix(finding.Sides(finding.Bad(CodeInactive, where, "is disabled"), "disabled: false", "disabled: true"), "enable it: gcloud has --no-disabled for it")}
		}
		return nil
	}
	for _, pool := range e.document.Pools {
		if pool.Name == p.Pool() {
			if found := check("pool "+pool.Name, pool.State, pool.Disabled); found != nil {
				return found
			}
		}
	}
	return check("provider "+p.Name, p.State, p.Disabled)
}

func (e evaluation) issuer(p Provider) []finding.Finding {
	where, trusted, seen := "provider "+p.Name+" oidc.issuerUri", p.OIDC.IssuerURI, e.token.Issuer
	if trusted != seen {
		if way := trust.Spelling(trusted, seen); way != "" {
			f := finding.Sides(finding.Bad(CodeIssuerSpelling, where, "differs from the token's issuer in "+way+", and Google compares to the letter"), seen, trusted)
			return []finding.Finding{finding.Fix(f, "write the issuer as the token has it")}
		}
		f := finding.Sides(finding.Bad(CodeIssuer, where, "is not the issuer of the token"), seen, trusted)
		return []finding.Finding{finding.Fix(f, "create a provider for this cluster, or correct its issuer")}
	}
	if p.OIDC.JWKSJSON != "" {
		return e.keys(p)
	}
	if why := trust.Unreachable(trusted); why != "" {
		f := finding.Sides(finding.Bad(CodeIssuerUnreachable, where, "is an issuer that exists only in the cluster, so that Google cannot fetch its keys: it "+why), "an https URL that the internet reaches, or uploaded keys", trusted)
		f.Command = "kubectl get --raw /openid/v1/jwks"
		return []finding.Finding{finding.Fix(f, "upload the cluster's keys with --jwk-json-path, and again whenever they change, or publish them at a public issuer")}
	}
	return nil
}

// keys says whether the uploaded keys can hold the token's.
func (e evaluation) keys(p Provider) []finding.Finding {
	where := "provider " + p.Name + " oidc.jwksJson"
	var set struct {
		Keys []struct {
			KeyID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(p.OIDC.JWKSJSON), &set); err != nil || len(set.Keys) == 0 {
		return []finding.Finding{finding.Fix(finding.Bad(CodeKeys, where, "holds no keys"), "upload what kubectl get --raw /openid/v1/jwks prints")}
	}
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.KeyID)
	}
	if e.token.KeyID == "" || slices.Contains(ids, e.token.KeyID) {
		return nil
	}
	f := finding.Sides(finding.Bad(CodeKeys, where, "lacks the key that signed the token: the cluster's keys have changed since they were uploaded"), e.token.KeyID, strings.Join(ids, ", "))
	f.Command = "kubectl get --raw /openid/v1/jwks"
	return []finding.Finding{finding.Fix(f, "upload the keys anew, the old ones with them until tokens signed with those have ended")}
}

// byID finds a project that is named by its ID in the name of a pool or a provider.
var byID = regexp.MustCompile(`projects/([a-z][a-z0-9.:-]*)/locations/`)

func (e evaluation) audience(p Provider) []finding.Finding {
	where, seen := "provider "+p.Name+" oidc.allowedAudiences", strings.Join(e.token.Audiences, ", ")
	allowed := p.audiences()
	_, located, _ := strings.Cut(p.Name, "/locations/")
	if slices.ContainsFunc(e.token.Audiences, func(a string) bool { return slices.Contains(allowed, a) }) {
		return nil
	}
	for _, a := range e.token.Audiences {
		if match := byID.FindStringSubmatch(a); match != nil && strings.HasSuffix(a, "/locations/"+located) {
			f := finding.Sides(finding.Bad(CodeProjectID, where, "the token's audience names project "+finding.Clip(match[1])+" by its ID, and Google wants its number"), allowed[0], a)
			f.Command = "gcloud projects describe " + finding.Clip(match[1]) + " --format='value(projectNumber)'"
			return []finding.Finding{finding.Fix(f, "write the number in the annotation of the ServiceAccount")}
		}
		for _, want := range allowed {
			if way := spelling(want, a); way != "" {
				f := finding.Sides(finding.Bad(CodeAudienceSpelling, where, "differ from the token's audience in "+way+", and Google compares to the letter"), want, a)
				return []finding.Finding{finding.Fix(f, "write the audience as the provider has it")}
			}
		}
	}
	message := "do not have the token's audience"
	if len(p.OIDC.AllowedAudiences) > 0 && slices.Contains(e.token.Audiences, resource+p.Name) {
		message = "list others, and then the provider's own name, the token's audience, is no longer one"
	}
	f := finding.Sides(finding.Bad(CodeAudience, where, message), strings.Join(allowed, ", "), seen)
	return []finding.Finding{finding.Fix(f, "list the audience, or ask for a listed one with the annotation cloud.google.com/audience")}
}

// spelling is trust.Spelling, for which what goes before a resource's name is spelling, too.
func spelling(want, seen string) string {
	if way := trust.Spelling(want, seen); way != "" {
		return way
	}
	bare := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "https:"), resource) }
	if strings.HasPrefix(want, resource) && bare(want) == strings.TrimPrefix(bare(seen), "iam.googleapis.com/") {
		return "the " + resource + " before it"
	}
	return ""
}

// audiences are those that the provider takes.
func (p Provider) audiences() []string {
	if len(p.OIDC.AllowedAudiences) > 0 {
		return p.OIDC.AllowedAudiences
	}
	return []string{resource + p.Name, "https:" + resource + p.Name}
}
