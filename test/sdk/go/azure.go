package main

import (
	"context"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// azureCheck takes a token from DefaultAzureCredential and reads who it is for.
type azureCheck struct {
	credential azcore.TokenCredential
}

func (c *azureCheck) describe() (sdk, source string) {
	return module("azidentity", "github.com/Azure/azure-sdk-for-go/sdk/azidentity"),
		firstEnv("AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
}

func (c *azureCheck) run(ctx context.Context, r *result) error {
	if c.credential == nil {
		credential, err := newAzureCredential()
		if err != nil {
			return err
		}
		c.credential = credential
	}
	scope := firstEnv("SDK_AZURE_SCOPE")
	if scope == "" {
		scope = "https://management.azure.com/.default"
	}
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return err
	}
	r.setExpiry(token.ExpiresOn)
	claims, err := readClaims(token.Token)
	if err != nil {
		return err
	}
	r.Identity = "appid=" + claims.AppID + " tid=" + claims.TenantID
	return nil
}

func newAzureCredential() (azcore.TokenCredential, error) {
	// The SDK would otherwise ask Microsoft whether the authority is known, which a private
	// cloud's, or a test's, is not.
	private := os.Getenv("SDK_AZURE_PRIVATE_AUTHORITY") == "1"
	if own := ownAzureSecret(); own != nil {
		return azidentity.NewClientSecretCredential(own.tenant, own.client, own.secret, &azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: private})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{DisableInstanceDiscovery: private})
}
