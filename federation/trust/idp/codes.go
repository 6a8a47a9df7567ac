package idp

import (
	"github.com/podpass-io/podpass/federation/finding"
)

// Codes of findings; each has a heading in docs/errors.md.
const (
	CodeAddress   = "WI350" // the provider's issuer, tenant or domain is none
	CodeName      = "WI351" // a name that the provider or Kubernetes does not take
	CodeRedirect  = "WI352" // a redirect URI that is not on the person's own machine
	CodeClaim     = "WI353" // a claim that the provider does not give
	CodePods      = "WI354" // pods at a provider that takes no token of a cluster
	CodePodIssuer = "WI355" // an issuer whose keys the provider cannot fetch, or none
	CodeTwice     = "WI356" // two things that the provider or an API server would mix up
	CodeSystem    = "WI357" // a group that Kubernetes itself gives a meaning to
)

func bad(code, where, message, expected, seen string) finding.Finding {
	return finding.Sides(finding.Bad(code, where, message), expected, seen)
}

func warn(f finding.Finding) finding.Finding {
	f.Severity = finding.Warning
	return f
}
