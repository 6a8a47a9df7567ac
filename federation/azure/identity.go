// Package azure trades a bound ServiceAccount token for Microsoft Entra access
// tokens: the client credentials grant with a federated assertion.
package azure

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// DefaultAudience is the token audience that federated credentials expect in
	// the public cloud and, unless the installation says otherwise, in all others.
	DefaultAudience = "api://AzureADTokenExchange"
	// DefaultAuthorityHost is Entra's public cloud.
	DefaultAuthorityHost = "https://login.microsoftonline.com/"
)

// Identity is the Entra identity that a ServiceAccount asks for.
type Identity struct {
	// ClientID of the application or user-assigned managed identity; empty: whichever
	// one is asked for by its client ID, as far as it trusts the subject.
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

// Validate reports all that is wrong with an identity, each problem with the name of
// its JSON field.
func (i Identity) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	seen := map[string]bool{}
	application := func(field string, a Application) {
		id := strings.ToLower(a.ClientID)
		bad(ValidClientID(id), "%sclientID: %.80q is not a GUID", field, a.ClientID)
		bad(!seen[id], "%sclientID: %.80q is there twice, and SDKs ask by client ID alone", field, a.ClientID)
		seen[id] = true
		bad(ValidTenantID(a.TenantID), "%stenantID: %.80q is neither a GUID nor a domain name", field, a.TenantID)
	}
	if i.ClientID != "" {
		application("", Application{i.ClientID, i.TenantID})
	} else {
		bad(ValidTenantID(i.TenantID), "tenantID: %.80q is neither a GUID nor a domain name", i.TenantID)
	}
	bad(i.Audience != "", "audience: required; the federated credential's, usually %s", DefaultAudience)
	for n, a := range i.Others {
		application(fmt.Sprintf("others[%d].", n), a)
	}
	return errors.Join(errs...)
}

// ValidResource reports whether s can be what a token is asked for: the URI or the ID
// of an application, printable and without blanks.
func ValidResource(s string) bool { return len(s) <= MaxResource && resourcePattern.MatchString(s) }
