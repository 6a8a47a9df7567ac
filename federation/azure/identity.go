// Package azure trades a bound ServiceAccount token for Microsoft Entra access
// tokens: the client credentials grant with a federated assertion.
package azure

const (
	// DefaultAudience is the token audience that federated credentials expect in
	// the public cloud and, unless the installation says otherwise, in all others.
	DefaultAudience = "api://AzureADTokenExchange"
	// DefaultAuthorityHost is Entra's public cloud.
	DefaultAuthorityHost = "https://login.microsoftonline.com/"
)

// Identity is the Entra identity that a ServiceAccount asks for.
type Identity struct {
	// ClientID of the application or user-assigned managed identity.
	ClientID string `json:"clientID"`
	// TenantID is the tenant's ID or domain name.
	TenantID string `json:"tenantID"`
	// Audience of the subject token; DefaultAudience unless the installation differs.
	Audience string `json:"audience"`
	// Others are further applications, which the pod's SDKs ask for by client ID. Each
	// trusts the same subject, with a federated credential of its own.
	Others []Application `json:"others,omitempty"`
}

// Application is an application or managed identity, in any tenant of the cloud.
type Application struct {
	ClientID string `json:"clientID"`
	TenantID string `json:"tenantID"`
}
