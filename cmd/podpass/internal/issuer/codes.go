package issuer

import (
	"errors"
	"fmt"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

// Codes of errors in publishing; docs/errors.md has a heading for each.
const (
	// codePrivate: a private key was given.
	codePrivate = "WI280"
	// codeOtherIssuer: the place is another issuer's.
	codeOtherIssuer = "WI281"
	// codeConflict: two keys of one kid.
	codeConflict = "WI282"
	// codeChanged: somebody else has written meanwhile.
	codeChanged = "WI283"
	// codeRefused: the place refuses.
	codeRefused = "WI284"
	// codeUnreadable: what is published is nothing that keys could be added to.
	codeUnreadable = "WI285"
)

// explain gives an error of publishing its code and next step.
func explain(err error) error {
	switch {
	case errors.Is(err, publish.ErrChanged):
		return hint.New(fmt.Errorf("%s: %w", codeChanged, err), "run it again: it adds to what is there now")
	case is[*publish.OtherIssuerError](err):
		return hint.New(fmt.Errorf("%s: %w", codeOtherIssuer, err), "name the other place, or the other --issuer; with podpass issuer publish --replace the place is taken over")
	case is[*publish.UnreadableError](err):
		return hint.New(fmt.Errorf("%s: %w", codeUnreadable, err), "look at it; podpass issuer publish --replace takes it for nothing")
	case is[*issuer.ConflictError](err):
		return hint.New(fmt.Errorf("%s: %w", codeConflict, err), "two clusters cannot share an issuer until one of them has another key")
	case is[*publish.RefusedError](err):
		return hint.New(fmt.Errorf("%s: %w", codeRefused, err), "the credentials need to read and write the two objects; S3 says 403 instead of 404 to whoever may not list the bucket")
	}
	return err
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
