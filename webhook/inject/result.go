package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Result is what Plan decided.
type Result struct {
	// Patch turns the pod into what is to be admitted: an RFC 6902 JSON patch, of "add"
	// operations alone and at most 1.5 MiB; nil when there is nothing to do. Always nil
	// with Errors.
	Patch []byte
	// Injected says what the pod has after the patch, one entry per cloud that at
	// least one container uses, in the order aws, gcp, azure, oidc, kube. It is the
	// same when the pod had all of it before.
	Injected []Injection
	// Missing are those of Injected of which the pod lacks what gives credentials: for the
	// audit, since more or other variables are no reason to create a pod again.
	Missing []Injection
	// Warnings and Errors include those of the Answer. With Errors, the pod must be denied.
	// Where user errors only warn, they are Warnings, and Reason says what they are.
	Warnings []serviceaccount.Problem
	Errors   []serviceaccount.Problem
	// Reason says in a few constant words why the patch is what it is, for logs and
	// metrics: one of the Reason constants.
	Reason string
}

// Injection is one cloud's identity in one pod.
type Injection struct {
	Cloud string              `json:"-"`
	Mode  serviceaccount.Mode `json:"mode"`
	// Identity as its cloud names it: role ARN, service account or provider, client ID,
	// the names of tokens, of clusters.
	Identity string `json:"identity"`
	// Source is the annotation that named the identity.
	Source string `json:"source,omitempty"`
	// Because says why Mode is not the one that was asked for.
	Because string `json:"because,omitempty"`
}

// Why a plan is what it is.
const (
	ReasonInjected    = "injected"
	ReasonComplete    = "already injected" // but, perhaps, for label and annotation
	ReasonNoIdentity  = "no identity asked for"
	ReasonOptedOut    = "opted out"
	ReasonMirrorPod   = "mirror pod"
	ReasonNoContainer = "no container left to inject into"
	ReasonUserError   = "user error"
)

// What marks an injected pod, for people and for the audit.
const (
	// InjectedLabel is "broker" when the pod has the sidecar, else "direct".
	InjectedLabel = "podpass.io/injected"
	// InjectionAnnotation is a JSON object: cloud -> Injection.
	InjectionAnnotation = "podpass.io/injection"
)

func (pl *planner) result() Result {
	r := Result{Warnings: pl.warnings, Errors: pl.errors}
	switch {
	case len(pl.errors) > 0:
		r.Reason = ReasonUserError
		if pl.settings.UserErrors == UserErrorsWarn {
			r.Warnings, r.Errors = tolerated(pl.errors, pl.warnings), nil
		}
		return r
	case len(pl.used) == 0:
		r.Reason, r.Patch = ReasonNoContainer, pl.patch.json
		return r
	case pl.patch.json == nil:
		r.Reason = ReasonComplete
	default:
		r.Reason, r.Patch = ReasonInjected, pl.patch.json
	}
	r.Injected = pl.injected()
	for _, i := range r.Injected {
		if pl.lacking[i.Cloud] {
			r.Missing = append(r.Missing, i)
		}
	}
	return r
}

// tolerated are errors that only warn as yet, before the warnings.
func tolerated(faults, warnings []serviceaccount.Problem) []serviceaccount.Problem {
	list := slices.Clone(faults)
	for i := range list {
		list[i].Message += "; the pod is admitted without an identity, and will be denied once the installation's userErrors is deny"
	}
	return append(list, warnings...)
}

// injected is what the pod has after the patch.
func (pl *planner) injected() []Injection {
	var list []Injection
	for _, d := range pl.deliveries {
		if pl.used[d.Cloud] {
			list = append(list, d.Injection)
		}
	}
	return list
}
