package inject

import (
	"cmp"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	// The names of azure-workload-identity. It moved the token in v1.6, which broke
	// whoever had written the first path down; here it is at both.
	azureVolume      = "azure-identity-token"
	azureTokenDir    = "/var/run/secrets/azure/wi/token"
	azureTokenDirOld = "/var/run/secrets/azure/tokens"
	azureTokenName   = "azure-identity-token"

	azurePath = "/azure/v1/token" // of the broker
)

var (
	azureChoices = environ.Names("azure", environ.Choice)
	azureStatic  = environ.Names("azure", environ.Key, environ.KeyFile)
	// azureMixes are used with AZURE_CLIENT_ID and AZURE_TENANT_ID.
	azureMixes = []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD"}
)

func azureBroker(d *delivery, pl *planner, z *serviceaccount.Azure) {
	d.env = withValues(
		// The App Service protocol: the only one that all SDKs honour, and no probe of IMDS.
		literal("IDENTITY_ENDPOINT", pl.brokerURL()+azurePath),
		podUID("IDENTITY_HEADER"),
		// For what speaks IMDS only.
		literal("AZURE_POD_IDENTITY_AUTHORITY_HOST", pl.brokerURL()),
		literal("AZURE_CLIENT_ID", z.ClientID),
		literal("AZURE_TENANT_ID", z.TenantID),
		literal("AZURE_AUTHORITY_HOST", pl.authorityHost()),
	)
	d.own, d.guard = azureChoices, azureGuards
	d.static, d.mixes = azureStatic, azureMixes
	d.selects = []envVar{literal("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")}
}

func azureDirect(d *delivery, pl *planner, z *serviceaccount.Azure) {
	d.env = withValues(
		literal("AZURE_CLIENT_ID", z.ClientID),
		literal("AZURE_TENANT_ID", z.TenantID),
		literal("AZURE_FEDERATED_TOKEN_FILE", pl.file(azureTokenDir+"/"+azureTokenName)),
		literal("AZURE_AUTHORITY_HOST", pl.authorityHost()),
	)
	d.own, d.file = []string{"AZURE_FEDERATED_TOKEN_FILE"}, "AZURE_FEDERATED_TOKEN_FILE"
	d.guard = azureGuards
	d.static, d.mixes = azureStatic, azureMixes
	d.selects = []envVar{literal("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential")}
	d.token.Path = azureTokenName
	d.volumes = []volume{tokenVolume(azureVolume, d.token)}
	d.mounts = []volumeMount{
		{Name: azureVolume, MountPath: azureTokenDir, ReadOnly: true},
		{Name: azureVolume, MountPath: azureTokenDirOld, ReadOnly: true},
	}
}

// azureName is the identity as people know it.
func azureName(z *serviceaccount.Azure) string {
	return cmp.Or(z.ClientID, "the client that the application names")
}

func (pl *planner) authorityHost() string {
	return cmp.Or(pl.settings.Azure.AuthorityHost, azure.DefaultAuthorityHost)
}
