package inject

import (
	"cmp"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	// The names of azure-workload-identity. It moved the token in v1.6, which broke
	// whoever had written the first path down; here it is at both.
	azureVolume      = "azure-identity-token"
	azureTokenDir    = "/var/run/secrets/azure/wi/token"
	azureTokenDirOld = "/var/run/secrets/azure/tokens"
	azureTokenName   = "azure-identity-token"
)

// azureStatic: a user name alone is no key.
var azureStatic = []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD"}

func azureBroker(d *delivery, pl *planner, z *serviceaccount.Azure) {
	d.env = withValues(
		// The App Service protocol: the only one that all SDKs honour, and no probe of IMDS.
		literal("IDENTITY_ENDPOINT", pl.brokerURL()+"/azure/v1/token"),
		podUID("IDENTITY_HEADER"),
		// For what speaks IMDS only.
		literal("AZURE_POD_IDENTITY_AUTHORITY_HOST", pl.brokerURL()),
		literal("AZURE_CLIENT_ID", z.ClientID),
		literal("AZURE_TENANT_ID", z.TenantID),
		literal("AZURE_AUTHORITY_HOST", pl.authorityHost()),
	)
	d.own = []string{"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE"}
	d.static = azureStatic
	d.staticMixes = true
	d.selects = []envVar{literal("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")}
}

func azureDirect(d *delivery, pl *planner, z *serviceaccount.Azure) {
	d.env = withValues(
		literal("AZURE_CLIENT_ID", z.ClientID),
		literal("AZURE_TENANT_ID", z.TenantID),
		literal("AZURE_FEDERATED_TOKEN_FILE", pl.file(azureTokenDir+"/"+azureTokenName)),
		literal("AZURE_AUTHORITY_HOST", pl.authorityHost()),
	)
	d.own = []string{"AZURE_FEDERATED_TOKEN_FILE"}
	d.static = azureStatic
	d.staticMixes = true
	d.selects = []envVar{literal("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential")}
	d.token.Path = azureTokenName
	d.volumes = []volume{tokenVolume(azureVolume, d.token)}
	d.mounts = []volumeMount{
		{Name: azureVolume, MountPath: azureTokenDir, ReadOnly: true},
		{Name: azureVolume, MountPath: azureTokenDirOld, ReadOnly: true},
	}
}

func (pl *planner) authorityHost() string {
	return cmp.Or(pl.settings.Azure.AuthorityHost, azure.DefaultAuthorityHost)
}
