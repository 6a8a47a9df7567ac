package trust

import (
	"net/netip"
	"net/url"
	"strings"
)

// Unreachable says why no cloud can fetch the keys of an issuer, by its name alone:
// "is not an https URL"; empty: nothing in the name is in the way. The default of an
// API server, https://kubernetes.default.svc.cluster.local, is such a name.
func Unreachable(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "is not an https URL"
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
			return "is an address of a private network"
		}
		return ""
	}
	if !strings.Contains(host, ".") {
		return "is a name without a domain"
	}
	for _, inside := range insideOnly {
		if host == inside || strings.HasSuffix(host, "."+inside) {
			return "exists only inside of a cluster or a private network"
		}
	}
	return ""
}

// insideOnly are domains that no public resolver knows: Kubernetes' own, and those of
// RFC 6761, RFC 6762 and ICANN's .internal.
var insideOnly = []string{"svc", "cluster.local", "local", "localhost", "internal", "test", "invalid"}
