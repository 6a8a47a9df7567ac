// Package azuretrust is what Microsoft Entra must hold so that ServiceAccounts get an
// identity there, and whether what it does hold lets a token in: the federated identity
// credentials of a user-assigned managed identity or of an application.
//
// Such a credential trusts one subject of one issuer for one audience. Entra compares all
// three to the letter, and knows no pattern for clusters.
//
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation
package azuretrust
