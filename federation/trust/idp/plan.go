package idp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
)

// ErrNoForm is the error of a form in which nobody tells the provider anything.
var ErrNoForm = errors.New("not a form for this provider")

// Plan is what a provider must hold.
type Plan struct{ setup Setup }

// Render completes and checks a setup. With an error among the findings the plan is not
// to be used. A Setup's provider is one that has a preset.
func Render(s Setup) (*Plan, []finding.Finding) {
	s = s.withDefaults()
	c := checker{setup: s}
	c.all()
	// The plan is the same whatever the order in which it was asked for. Clusters keep
	// theirs: people list the one first that they mean first.
	s.Groups = slices.Sorted(slices.Values(s.Groups))
	s.Pods = slices.SortedFunc(slices.Values(s.Pods), func(a, b Pod) int { return cmp.Compare(a.name(), b.name()) })
	return &Plan{s}, c.findings
}

// Form renders the plan in one of its provider's forms.
func (p *Plan) Form(name string) ([]byte, error) {
	if !slices.Contains(p.setup.Provider.Forms(), name) {
		return nil, fmt.Errorf("%s: %w: it has %s", name, ErrNoForm, strings.Join(p.setup.Provider.Forms(), ", "))
	}
	switch name {
	case "shell":
		return p.keycloakShell()
	case "json":
		return p.keycloakJSON()
	case "terraform":
		return []byte(p.terraform()), nil
	}
	return []byte(p.steps()), nil
}

func (p *Plan) terraform() string {
	switch p.setup.Provider {
	case Okta:
		return p.okta()
	case Entra:
		return p.entra()
	case Auth0:
		return p.auth0()
	case Google:
		return p.google()
	case Keycloak: // it has no such form
	}
	return ""
}
