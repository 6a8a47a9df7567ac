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

// Of is the next step of an error; empty: it knows none.
func Of(err error) string {
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok {
		return ""
	}
	return h.Hint()
}

// Problems are problems as one error, each with its fix as the next step; nil: none.
// defaults: podpass's own settings were taken, so that what a problem misses may be in
// the installation's.
func Problems(list []serviceaccount.Problem, defaults bool) error {
	var errs []error
	for _, p := range list {
		fix := p.Fix
		p.Fix = ""
		switch p.Code {
		case serviceaccount.CodeAWSPartition, serviceaccount.CodeGCPNoProvider, serviceaccount.CodeAzureTenant, serviceaccount.CodeOIDC, serviceaccount.CodeKube:
			if defaults {
				fix += "; or give the installation's settings with --settings"
			}
		}
		errs = append(errs, New(errors.New(p.String()), fix))
	}
	return errors.Join(errs...)
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
