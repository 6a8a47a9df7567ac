package trust

import (
	"net/netip"
	"net/url"
	"strings"
)

// Unreachable says why no cloud can fetch the keys of an issuer, by its URL alone: "" if
// nothing speaks against it. The default issuer of most self-managed clusters,
// https://kubernetes.default.svc.cluster.local, exists only within the cluster.
func Unreachable(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Hostname() == "":
		return "it is not a URL"
	case u.Scheme != "https":
		return "it is not https"
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		if address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() || address.IsUnspecified() || carrier.Contains(address.Unmap()) {
			return "its address is not a public one"
		}
		return ""
	}
	if !strings.Contains(host, ".") {
		return "its host has no domain"
	}
	for _, suffix := range []string{".svc", ".cluster.local", ".local", ".internal", ".localdomain", ".test", ".invalid"} {
		if strings.HasSuffix(host, suffix) {
			return "its host has a name only within the cluster or its network"
		}
	}
	return ""
}

// carrier is the shared address space of RFC 6598, in which some clouds put clusters.
var carrier = netip.MustParsePrefix("100.64.0.0/10")
