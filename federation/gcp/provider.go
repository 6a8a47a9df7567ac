package gcp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	resourcePrefix = "//iam.googleapis.com/"
	// MaxProvider bounds a provider's name, of which not all parts have bounds of their own.
	MaxProvider = 600
)

// Patterns of what an administrator sets, for the chart's schema too.
const (
	// ProviderPattern is what ParseProvider takes.
	ProviderPattern = `^((//iam\.googleapis\.com/)?projects/[0-9]{1,20}/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}|identitynamespace:[a-z0-9.:-]+:https://[!-~]+)$`
	// FleetPoolPattern and FleetIdentityProviderPattern are the parts of the second form.
	FleetPoolPattern             = `^[a-z0-9.:-]+$`
	FleetIdentityProviderPattern = `^https://[!-~]+$`
	EmailPattern                 = `^[a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\.)+[a-z]{2,}$`
	RegionPattern                = `^[a-z][a-z0-9-]{1,62}$`
	ZonePattern                  = `^[a-z][a-z0-9-]{1,62}$`
	UniversePattern              = `^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`
	ProjectPattern               = `^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`
	MaxUniverse                  = 253
	MaxEmail                     = 254
)

// Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
var (
	providerPattern  = regexp.MustCompile(`^projects/([^/]+)/locations/([a-z0-9-]+)/workloadIdentityPools/([a-z0-9-]{4,32})/providers/([a-z0-9-]{4,32})$`)
	numberPattern    = regexp.MustCompile(`^\d{1,20}$`)
	namespacePattern = regexp.MustCompile(`^identitynamespace:[a-z0-9.:-]+:https://[!-~]+$`)
	emailPattern     = regexp.MustCompile(EmailPattern)
	regionPattern    = regexp.MustCompile(RegionPattern)
	zonePattern      = regexp.MustCompile(ZonePattern)
	universePattern  = regexp.MustCompile(UniversePattern)
	projectPattern   = regexp.MustCompile(ProjectPattern)
)

// ParseProvider gives the STS audience for a provider: its full resource name.
// It takes "projects/<number>/locations/...", the same behind "//iam.googleapis.com/",
// and "identitynamespace:<pool>:<identity provider>". STS knows projects by number
// only, so a project ID is an error that says so.
func ParseProvider(s string) (string, error) {
	if strings.HasPrefix(s, "identitynamespace:") {
		if len(s) > MaxProvider || !namespacePattern.MatchString(s) {
			return "", errors.New("want identitynamespace:<pool>:<https URL of the identity provider>")
		}
		return s, nil
	}
	name := strings.TrimPrefix(s, resourcePrefix)
	parts := providerPattern.FindStringSubmatch(name)
	if parts == nil || len(s) > MaxProvider {
		return "", errors.New("want projects/<number>/locations/<location>/workloadIdentityPools/<pool>/providers/<provider>")
	}
	if !numberPattern.MatchString(parts[1]) {
		return "", fmt.Errorf("names project %.64q by its ID, and STS wants the project's number", parts[1])
	}
	return resourcePrefix + name, nil
}

// IdentityNamespace gives the parts of a GKE cluster's or a fleet's provider,
// "identitynamespace:<pool>:<identity provider>": the pool, which is the token's
// audience too, and the identity provider, a URL. ok is false for other providers.
func IdentityNamespace(provider string) (pool, issuer string, ok bool) {
	rest, ok := strings.CutPrefix(provider, "identitynamespace:")
	if !ok {
		return "", "", false
	}
	// A pool's name may hold colons, "example.com:project.svc.id.goog".
	pool, issuer, ok = strings.Cut(rest, ":https://")
	if !ok {
		return "", "", false
	}
	return pool, "https://" + issuer, true
}

// Principal is the IAM principal of a token's subject: what IAM policies name.
// Those of GKE clusters and fleets are named after their pool, since the provider
// does not tell the project's number.
// https://cloud.google.com/iam/docs/principal-identifiers
func Principal(provider, subject string) string {
	if pool, _, ok := IdentityNamespace(provider); ok {
		namespace, account, _ := strings.Cut(strings.TrimPrefix(subject, "system:serviceaccount:"), ":")
		return "serviceAccount:" + pool + "[" + namespace + "/" + account + "]"
	}
	pool, _, ok := strings.Cut(strings.TrimPrefix(provider, "//"), "/providers/")
	if !ok {
		return subject
	}
	return "principal://" + pool + "/subject/" + subject
}

// ValidServiceAccount reports whether s has the form of a service account's email.
func ValidServiceAccount(s string) bool { return len(s) <= MaxEmail && emailPattern.MatchString(s) }

// ValidProject reports whether s has the form of a project ID, domain-scoped ones
// ("example.com:project") included.
func ValidProject(s string) bool { return projectPattern.MatchString(s) }

// ValidRegion reports whether s has the form of a region's name, "europe-west3".
func ValidRegion(s string) bool { return regionPattern.MatchString(s) }

// ValidZone reports whether s has the form of a zone's name, "europe-west3-a".
func ValidZone(s string) bool { return zonePattern.MatchString(s) }

// ValidUniverse reports whether s can be the domain of Google's APIs.
func ValidUniverse(s string) bool { return len(s) <= MaxUniverse && universePattern.MatchString(s) }

// ProjectOf is the project of a service account, by its email's domain; "" where
// the domain does not tell. A domain-scoped project, "example.com:project", has
// its parts the other way round there.
func ProjectOf(serviceAccount string) string {
	_, domain, _ := strings.Cut(serviceAccount, "@")
	name, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	if !ok {
		return ""
	}
	if project, scope, ok := strings.Cut(name, "."); ok {
		return scope + ":" + project
	}
	return name
}

// ProjectOfPool is the project after which a GKE cluster's or a fleet's pool is
// named; "" for other providers, which name theirs by number.
func ProjectOfPool(provider string) string {
	pool, _, _ := IdentityNamespace(provider)
	id, ok := strings.CutSuffix(pool, ".svc.id.goog")
	if !ok || !ValidProject(id) {
		return ""
	}
	return id
}

// Limits of an impersonated access token's life, in seconds. Above an hour an
// organisation policy has to allow it.
const (
	MinTokenLifetime = 600
	MaxTokenLifetime = 43200
)
