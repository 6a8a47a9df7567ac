package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Patterns is the chart's templates/_patterns.tpl: what its other templates check that
// the schema does not.
func Patterns() (string, error) {
	annotations := map[string]any{}
	patterns := serviceaccount.AnnotationPatterns()
	for _, k := range serviceaccount.Keys() {
		if p, ok := patterns[k.Name]; ok && k.OnServiceAccount() {
			annotations[k.Name] = object{"pattern": p, "want": strings.ReplaceAll(k.Value, "`", "")}
		}
	}
	var out strings.Builder
	out.WriteString("{{- /* Made by `go test ./webhook/inject/schema -update` of the constants by which the\n       webhook validates its settings. */ -}}\n")
	for _, p := range []struct {
		name  string
		value any
	}{
		{"endpoint", endpoint.Pattern},
		{"proxy", endpoint.ProxyPattern},
		{"identityProvider", gcp.FleetIdentityProviderPattern},
		{"quantity", inject.QuantityPattern},
		{"image", reference()},
		{"repository", inject.RepositoryPattern},
		{"provider", gcp.ProviderPattern},
		{"tenant", azure.TenantPattern},
		{"reserved", oidc.Reserved()},
		{"regions", aws.RegionPrefixes()},
		{"annotations", annotations},
	} {
		text, ok := p.value.(string)
		if !ok {
			b, err := json.MarshalIndent(p.value, "", "  ")
			if err != nil {
				return "", fmt.Errorf("encode %s: %w", p.name, err)
			}
			text = string(b)
		}
		if strings.Contains(text, "{{") {
			return "", fmt.Errorf("%s: a template would take its braces for its own", p.name)
		}
		fmt.Fprintf(&out, "{{- define \"podpass.pattern.%s\" -}}\n%s\n{{- end -}}\n", p.name, text)
	}
	return out.String(), nil
}

// reference is an image with its tag, digest, or both.
func reference() string {
	inner := func(pattern string) string { return strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$") }
	return "^" + inner(inject.RepositoryPattern) + "(:" + inner(inject.TagPattern) + ")?(@" + inner(inject.DigestPattern) + ")?$"
}
