package azure

import (
	"net/url"
	"strings"
)

// ManagementResource is Azure Resource Manager in the cloud of an authority host:
// the resource that any tenant of that cloud has, and no other cloud knows, by
// which one finds out whether trust works. A host that is not known, a private
// cloud's, gives the public one's.
// https://learn.microsoft.com/azure/developer/identity/sovereign-clouds
func ManagementResource(authorityHost string) string {
	u, err := url.Parse(authorityHost)
	if err != nil {
		return publicManagement
	}
	switch strings.ToLower(u.Hostname()) {
	case "login.microsoftonline.us", "login-us.microsoftonline.com":
		return "https://management.usgovcloudapi.net"
	case "login.chinacloudapi.cn", "login.partner.microsoftonline.cn":
		return "https://management.chinacloudapi.cn"
	}
	return publicManagement
}

const publicManagement = "https://management.azure.com"
