package trust

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// asked are the clusters of --context, whose API servers say by what issuer their pods'
// tokens are.
func (o kubeOptions) asked(ctx context.Context) ([]kubetrust.Issuer, error) {
	if len(o.cluster.Contexts) == 0 {
		return nil, nil // not the current one: its own tokens it takes anyhow
	}
	clusters, err := o.cluster.Each()
	if err != nil {
		return nil, err
	}
	var list []kubetrust.Issuer
	for _, flags := range clusters {
		k, err := connect(flags, "--pods")
		if err != nil {
			return nil, err
		}
		c, err := k.issuer(ctx, false)
		if err != nil {
			return nil, fmt.Errorf("context %q: %w", k.name, err)
		}
		if wrong := validation.IsDNS1123Label(c.Name); len(wrong) > 0 {
			return nil, hint.New(fmt.Errorf("context %q: its name is to come before its users, and is no DNS label", c.Name), "give the cluster one, in the place of --context: --pods NAME="+c.Issuer)
		}
		list = append(list, kubetrust.Issuer{Preset: kubetrust.Pods, Name: c.Name, URL: c.Issuer, Audiences: o.audiences})
	}
	return list, nil
}

// named are the issuers of --people and --pods.
func (o kubeOptions) named() ([]kubetrust.Issuer, error) {
	var list []kubetrust.Issuer
	for _, of := range []struct {
		flag   string
		texts  []string
		issuer func(name, url string) kubetrust.Issuer
	}{
		{"--people", o.people, func(name, url string) kubetrust.Issuer { return kubetrust.Issuer{Preset: name, URL: url} }},
		{"--pods", o.pods, func(name, url string) kubetrust.Issuer {
			return kubetrust.Issuer{Preset: kubetrust.Pods, Name: name, URL: url}
		}},
	} {
		for _, text := range of.texts {
			name, url, ok := strings.Cut(text, "=")
			if !ok || name == "" || url == "" {
				return nil, hint.New(fmt.Errorf("%s %q is not a name and a URL", of.flag, text), "use --pods prod-eu=https://oidc.example.com, or --people keycloak=https://login.example.com/realms/prod")
			}
			i := of.issuer(name, url)
			i.Audiences = o.audiences
			list = append(list, i)
		}
	}
	return list, nil
}
