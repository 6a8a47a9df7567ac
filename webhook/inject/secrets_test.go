package inject

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoPasswordInMessages: the error of settings goes to the log, the termination message
// and `podpass inject`, and a URL may have a password: well-formed or not, and what else
// is wrong with it.
func TestNoPasswordInMessages(t *testing.T) {
	for name, settings := range map[string]string{
		"aws.stsEndpoints.aws":          "aws: {stsEndpoints: {aws: %q}}",
		"gcp.stsEndpoint":               "gcp: {stsEndpoint: %q}",
		"gcp.iamCredentialsEndpoint":    "gcp: {iamCredentialsEndpoint: %q}",
		"azure.authorityHost":           "azure: {authorityHost: %q}",
		"oidc.tokenSources.a: tokenURL": "oidc: {tokenSources: {a: {audience: a, tokenURL: %q}}}",
		"broker.proxy.http":             "broker: {image: i, proxy: {http: %q}}",
		"broker.proxy.https":            "broker: {image: i, proxy: {https: %q}}",
		"gcp.fleetIdentityProvider":     "gcp: {fleetPool: p, fleetIdentityProvider: %q}",
	} {
		for _, url := range []string{
			"https://podpass:hunter2@example.com", "http://podpass:hunter2@example.com", "https://podpass:hunter2@example.com:x", "https://podpass:hun%zzhunter2@example.com",
			"podpass:hunter2@example.com", "https://hunter2@example.com/?a", "ftp://podpass:hunter2@", "https://podpass:hunter2@exa mple.com", "http://example.com?token=hunter2", "https://example.com#hunter2",
		} {
			if strings.HasPrefix(name, "gcp.fleet") && !strings.Contains(url, " ") && strings.HasPrefix(url, "https://") {
				continue // a name, to which nothing is sent; the chart refuses it
			}
			text := fmt.Sprintf(settings, url)
			if !strings.Contains(text, "image: i") {
				text += "\nbroker: {image: i}"
			}
			_, err := LoadSettings([]byte(text))
			if err == nil {
				t.Errorf("%s %s: no error", name, url)
				continue
			}
			if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v", name, url, err)
			}
		}
	}
}
