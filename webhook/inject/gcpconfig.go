package inject

import (
	"encoding/json"

	"github.com/podpass-io/podpass/federation/gcp"
)

// credentialConfiguration is an external_account file, with which Google's SDKs
// make the exchange themselves (https://google.aip.dev/auth/4117). It holds no secret.
type credentialConfiguration struct {
	Type             string           `json:"type"`
	Audience         string           `json:"audience"`
	SubjectTokenType string           `json:"subject_token_type"`
	TokenURL         string           `json:"token_url"`
	CredentialSource credentialSource `json:"credential_source"`

	ImpersonationURL string         `json:"service_account_impersonation_url,omitempty"`
	Impersonation    *impersonation `json:"service_account_impersonation,omitempty"`
	QuotaProject     string         `json:"quota_project_id,omitempty"`
	Universe         string         `json:"universe_domain,omitempty"`
}

type credentialSource struct {
	File   string `json:"file"`
	Format struct {
		Type string `json:"type"`
	} `json:"format"`
}

type impersonation struct {
	TokenLifetime int `json:"token_lifetime_seconds"`
}

// credentialConfig is deterministic: a pod that is planned twice gets it once.
func credentialConfig(id gcp.Identity, tokenPath string, at gcp.Endpoints) ([]byte, error) {
	c := credentialConfiguration{
		Type:             "external_account",
		Audience:         id.Provider,
		SubjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
		TokenURL:         at.TokenURL(),
		CredentialSource: credentialSource{File: tokenPath},
		QuotaProject:     id.QuotaProject,
		Universe:         at.Universe,
	}
	c.CredentialSource.Format.Type = "text"
	if id.ServiceAccount != "" {
		c.ImpersonationURL = at.ImpersonationURL(id.ServiceAccount, "generateAccessToken")
		if id.TokenLifetime > 0 {
			c.Impersonation = &impersonation{id.TokenLifetime}
		}
	}
	return json.Marshal(c)
}
