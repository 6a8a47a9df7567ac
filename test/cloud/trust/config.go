// Package trust is what the stand-in clouds are configured with: which issuers exist, and
// which subjects may have which identity. It verifies tokens as the clouds do, and
// says why one is refused; each cloud then puts that in its own words.
package trust

import (
	"encoding/json"
	"path"
	"slices"
	"time"
)

// Config is the trust of all three clouds, and of an OAuth 2.0 server.
type Config struct {
	// Issuers are how to reach issuers whose CA is private.
	Issuers []Issuer `json:"issuers"`
	AWS     AWS      `json:"aws"`
	GCP     GCP      `json:"gcp"`
	Azure   Azure    `json:"azure"`
	OAuth   OAuth    `json:"oauth"`
}

// Life, if not 0, is how many seconds credentials live at most, far below what the
// cloud allows: for tests of what SDKs do when they end.
type Life int

// Of gives the life of a credential that would live for d.
func (l Life) Of(d time.Duration) time.Duration {
	if l == 0 {
		return d
	}
	return min(d, time.Duration(l)*time.Second)
}

// Issuer is an OIDC issuer; its keys are found by discovery.
type Issuer struct {
	URL    string `json:"url"`
	CAFile string `json:"caFile"`
	// CacheSeconds is how long keys are kept that have been fetched, and not fetched
	// again, not even at a kid that is not among them: the strictest that a cloud may be.
	// 0: until such a kid comes.
	CacheSeconds int `json:"cacheSeconds,omitempty"`
	// JWKS, if it is set, are the issuer's keys, which are then not fetched: for
	// issuers whose names lead nowhere.
	JWKS json.RawMessage `json:"jwks,omitempty"`
}

// AWS has IAM OIDC providers, roles, and users with access keys.
type AWS struct {
	Life      Life          `json:"life"`
	Providers []AWSProvider `json:"providers"`
	Roles     []AWSRole     `json:"roles"`
	Users     []AWSUser     `json:"users,omitempty"`
}

// AWSUser is an IAM user with one access key.
type AWSUser struct {
	ARN             string `json:"arn"`
	AccessKeyID     string `json:"accessKeyID"`
	SecretAccessKey string `json:"secretAccessKey"`
	// Inactive is the key's status.
	Inactive bool `json:"inactive,omitempty"`
}

// AWSProvider is an IAM OIDC provider of an account.
type AWSProvider struct {
	Account   string   `json:"account"`
	Issuer    string   `json:"issuer"`
	Audiences []string `json:"audiences"`
}

// AWSRole is a role with its trust policy.
type AWSRole struct {
	ARN string `json:"arn"`
	// Policy is the role's trust policy as IAM has it; the fields below but
	// MaxSessionDuration, which say the same in fewer words, have no effect then.
	Policy json.RawMessage `json:"policy,omitempty"`
	// Issuer, Audiences and Subjects (globs) are the conditions on a web identity.
	Issuer    string   `json:"issuer"`
	Audiences []string `json:"audiences"`
	Subjects  []string `json:"subjects"`
	// AssumedBy are roles and users that may assume this one, with ExternalID if it is set.
	AssumedBy  []string `json:"assumedBy"`
	ExternalID string   `json:"externalID"`
	TagSession bool     `json:"tagSession"`
	// RequestTags are conditions of the trust policy (aws:RequestTag): the session's
	// tags must be exactly these.
	RequestTags map[string]string `json:"requestTags"`
	// PrincipalTags are conditions too (aws:PrincipalTag): the transitive tags of the
	// session that assumes the role must be exactly these.
	PrincipalTags map[string]string `json:"principalTags"`
	// MaxSessionDuration in seconds; default 3600.
	MaxSessionDuration int `json:"maxSessionDuration"`
}

// GCP has workload identity providers and service accounts.
type GCP struct {
	Life            Life                `json:"life"`
	Providers       []GCPProvider       `json:"providers"`
	ServiceAccounts []GCPServiceAccount `json:"serviceAccounts"`
}

// GCPProvider is a workload identity provider, by its name without
// //iam.googleapis.com/.
type GCPProvider struct {
	Name   string `json:"name"`
	Issuer string `json:"issuer"`
	// AllowedAudiences; default: the provider's own name.
	AllowedAudiences []string `json:"allowedAudiences"`
	// Condition is a glob that the subject must match; default all.
	Condition string `json:"condition"`
	Disabled  bool   `json:"disabled"`
	// Described is the provider as gcloud describes it, in YAML or JSON, and Pool its
	// pool; the fields above but Name, which say the same in fewer words, then have no
	// effect.
	Described string `json:"described,omitempty"`
	Pool      string `json:"pool,omitempty"`
}

// GCPServiceAccount is a service account, and the principals that may
// impersonate it.
type GCPServiceAccount struct {
	Email   string   `json:"email"`
	Members []string `json:"members"`
	// Policy is the service account's IAM policy as gcloud prints it, in YAML or JSON;
	// Members then have no effect.
	Policy string `json:"policy,omitempty"`
	// APIDisabled: iamcredentials is off in its project.
	APIDisabled bool `json:"apiDisabled"`
	// Keys are those that somebody has made of it.
	Keys []GCPKey `json:"keys,omitempty"`
}

// GCPKey is a key of a service account, as Google keeps it: without the private part.
type GCPKey struct {
	// ID is the private_key_id of the key's file.
	ID string `json:"id"`
	// PublicKey in PEM.
	PublicKey string `json:"publicKey"`
	Disabled  bool   `json:"disabled,omitempty"`
}

// Azure has tenants.
type Azure struct {
	Life    Life     `json:"life"`
	Tenants []Tenant `json:"tenants"`
}

// Tenant is an Entra tenant.
type Tenant struct {
	ID           string        `json:"id"`
	Applications []Application `json:"applications"`
}

// Application is an application or managed identity.
type Application struct {
	ClientID             string                `json:"clientID"`
	FederatedCredentials []FederatedCredential `json:"federatedCredentials"`
	// Listed are its federated credentials as az lists them, in JSON; FederatedCredentials
	// then has no effect.
	Listed string `json:"listed,omitempty"`
	// Secrets are its client secrets.
	Secrets []ClientSecret `json:"secrets,omitempty"`
}

// ClientSecret is a client secret of an application.
type ClientSecret struct {
	// ID names it, and is not the secret.
	ID    string `json:"id"`
	Value string `json:"value"`
	// Ends is when it expires; zero: never.
	Ends time.Time `json:"ends,omitzero"`
}

// FederatedCredential trusts exactly one subject of one issuer.
type FederatedCredential struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Audience string `json:"audience"`
}

// OAuth is an OAuth 2.0 server that trusts the subjects (globs) of one issuer.
type OAuth struct {
	Life     Life     `json:"life"`
	Issuer   string   `json:"issuer"`
	Audience string   `json:"audience"`
	Subjects []string `json:"subjects"`
	// User is who they are there.
	User string `json:"user"`
	// ClientID that requests must have; "": none.
	ClientID string `json:"clientID"`
	// Scopes that may be asked for.
	Scopes []string `json:"scopes"`
	// Require are further fields that requests must have.
	Require map[string]string `json:"require"`
}

// Glob reports whether a subject matches one of the patterns, * standing for
// anything.
func Glob(patterns []string, subject string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, subject)
		return err == nil && ok
	})
}
