package statickeys

import "github.com/podpass-io/podpass/federation/statickey"

// The variables that Azure's SDKs read.
const (
	azureTenant = "AZURE_TENANT_ID"
	azureID     = "AZURE_CLIENT_ID"
)

// azureClients are applications of Entra ID with a secret or a certificate.
func azureClients() []draft {
	client, terraform := newAzureClient(), newAzureClient()
	key, tenant, id := newPrivateKey(), uuid(), uuid()
	return []draft{
		{
			name: "azure-secret", workload: "Deployment", ownAccount: true,
			secret: map[string]string{"client-secret": client.secret},
			pod: pod{variables: []variable{
				{name: azureTenant, value: client.tenant}, {name: azureID, value: client.id}, {name: "AZURE_CLIENT_SECRET", secretKey: "client-secret"},
			}},
			found: client.found(), in: "Secret", key: "client-secret",
		},
		{
			name: "azure-terraform", workload: "Job", ownAccount: true,
			secret: map[string]string{
				"ARM_TENANT_ID": terraform.tenant, "ARM_SUBSCRIPTION_ID": uuid(), "ARM_CLIENT_ID": terraform.id, "ARM_CLIENT_SECRET": terraform.secret,
			},
			pod:   pod{envFrom: true},
			found: terraform.found(), in: "Secret", key: "ARM_CLIENT_SECRET",
		},
		{
			name: "azure-certificate", workload: "Cluster", ownAccount: true,
			secret: map[string]string{"client.pem": key.certificate("orders") + key.pem},
			pod: pod{
				mount:     mount{"/etc/azure", secretVolume},
				variables: []variable{{name: azureTenant, value: tenant}, {name: azureID, value: id}, {name: "AZURE_CLIENT_CERTIFICATE_PATH", value: "/etc/azure/client.pem"}},
			},
			found: found{cloud: "azure", kind: statickey.AzureClientCertificate, id: id, secrets: pemLines(key.pem)},
			in:    "Secret", key: "client.pem",
		},
	}
}

// azureStorage are keys of storage accounts, and what is signed by one.
func azureStorage() []draft {
	inString, account, signed := newStorageAccount(), newStorageAccount(), newSAS()
	return []draft{
		{
			name: "azure-connection-string", workload: "ReplicaSet",
			pod:   pod{variables: []variable{{name: "AZURE_STORAGE_CONNECTION_STRING", value: inString.connectionString()}}},
			found: inString.found(), key: envKey("AZURE_STORAGE_CONNECTION_STRING"),
		},
		{
			name: "azure-storage-key", workload: "StatefulSet",
			secret: map[string]string{"azurestorageaccountname": account.name, "azurestorageaccountkey": account.key},
			pod: pod{variables: []variable{
				{name: "AZURE_STORAGE_ACCOUNT", secretKey: "azurestorageaccountname"}, {name: "AZURE_STORAGE_KEY", secretKey: "azurestorageaccountkey"},
			}},
			found: account.found(), in: "Secret", key: "azurestorageaccountkey",
		},
		{
			name: "azure-sas", workload: "Pod",
			configMap: map[string]string{"target-url": signed.url},
			pod:       pod{variables: []variable{{name: "BACKUP_TARGET", configKey: "target-url"}}},
			found:     signed.found(), in: "ConfigMap", key: "target-url",
		},
	}
}
