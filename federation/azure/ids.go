package azure

import "regexp"

var (
	guidPattern     = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	resourcePattern = regexp.MustCompile(`^[!-~]+$`)
	domainPattern   = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z]{2,}$`)
)

// ValidClientID reports whether s is a GUID, as every client ID is.
func ValidClientID(s string) bool { return guidPattern.MatchString(s) }

// ValidTenantID reports whether s is a GUID or a domain name.
func ValidTenantID(s string) bool {
	return guidPattern.MatchString(s) || len(s) <= 253 && domainPattern.MatchString(s)
}
