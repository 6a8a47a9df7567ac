// Package hint has errors that know the next step.
package hint

import (
	"errors"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

type hinted struct {
	error
	hint string
}

// Hint is the next step.
func (h hinted) Hint() string { return h.hint }

// Unwrap gives the error without the hint.
func (h hinted) Unwrap() error { return h.error }

// New gives err with the next step, in lower case and without a full stop.
func New(err error, next string) error { return hinted{err, next} }

// Of is a problem as an error, whose next step is the fix.
func Of(p serviceaccount.Problem) error {
	fix := p.Fix
	p.Fix = ""
	return New(errors.New(p.String()), fix)
}

// OfDefaults is Of for a problem found with podpass's own defaults: what it misses may
// be in the installation's settings.
func OfDefaults(p serviceaccount.Problem) error {
	switch p.Code {
	case serviceaccount.CodeAWSPartition, serviceaccount.CodeGCPNoProvider, serviceaccount.CodeAzureTenant, serviceaccount.CodeOIDC:
		p.Fix += "; or give the installation's settings with --settings"
	}
	return Of(p)
}

// Exchange is an exchange's error with its hint on its own.
func Exchange(err error) error {
	e, ok := errors.AsType[*federation.Error](err)
	if !ok || e.Hint == "" {
		return err
	}
	bare := *e
	bare.Hint = ""
	return New(&bare, e.Hint)
}
