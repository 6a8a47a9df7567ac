package inject

import (
	"cmp"
	"encoding/json"

	"github.com/podpass-io/podpass/federation/gcp"
)

func credentialConfig(id gcp.Identity, tokenPath, stsEndpoint, iamEndpoint string) []byte {
	config := map[string]any{
		"type": "external_account", "audience": id.Provider, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"token_url":         cmp.Or(stsEndpoint, "https://sts.googleapis.com") + "/v1/token",
		"credential_source": map[string]any{"file": tokenPath, "format": map[string]string{"type": "text"}},
	}
	if id.ServiceAccount != "" {
		config["service_account_impersonation_url"] = cmp.Or(iamEndpoint, "https://iamcredentials.googleapis.com") + "/v1/projects/-/serviceAccounts/" + id.ServiceAccount + ":generateAccessToken"
	}
	b, _ := json.Marshal(config)
	return b
}
