package azure

import "regexp"

// Patterns of what an administrator sets, for the chart's schema too.
const (
	GUIDPattern = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`
	// TenantPattern is a GUID or a domain name, of at most MaxTenant characters.
	TenantPattern   = `^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z]{2,})$`
	ResourcePattern = `^[!-~]+$`
	MaxTenant       = 253
	MaxResource     = 512
)

var (
	guidPattern     = regexp.MustCompile(GUIDPattern)
	tenantPattern   = regexp.MustCompile(TenantPattern)
	resourcePattern = regexp.MustCompile(ResourcePattern)
)

// ValidClientID reports whether s is a GUID, as every client ID is.
func ValidClientID(s string) bool { return guidPattern.MatchString(s) }

// ValidTenantID reports whether s is a GUID or a domain name.
func ValidTenantID(s string) bool {
	return len(s) <= MaxTenant && tenantPattern.MatchString(s)
}
