package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/podpass-io/podpass/federation"
)

// Object is what a reader gets at a path.
type Object struct {
	// Path below the issuer, with a slash before it.
	Path                      string
	ContentType, CacheControl string
	Body                      []byte
}

// Version names a state of an object in a place; "" is that it does not exist.
type Version string

// Place is where an issuer's objects are kept. Its methods are safe for concurrent use.
type Place interface {
	// Get reads an object; one that does not exist is version "", and no error.
	Get(ctx context.Context, path string) (Object, Version, error)
	// Put replaces an object, whole or not at all, if it still has the version; else its
	// error is [ErrChanged].
	Put(ctx context.Context, o Object, had Version) error
	// String names the place as a person does, without credentials.
	String() string
}

// ErrChanged: somebody else has written meanwhile.
var ErrChanged = errors.New("somebody else has changed it meanwhile")

// RefusedError is an object store's refusal, in its own words.
type RefusedError struct {
	// Op is "read" or "write", Path the object's.
	Op, Path string
	Status   int
	// Code and Message are the store's, clipped; both may be empty.
	Code, Message string
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("%s %s: status %d", e.Op, e.Path, e.Status)
	if e.Code != "" {
		s += " " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Credentials are for one object store; which of them is used is the place's choice.
type Credentials struct {
	// AWS are for S3; the session token may be empty.
	AWSAccessKeyID                      string
	AWSSecretAccessKey, AWSSessionToken federation.Secret
	// AWSRegion is taken where the place names none.
	AWSRegion string
	// Bearer is an OAuth 2.0 access token, for Google Cloud Storage and Azure Blob Storage.
	Bearer federation.Secret
	// AzureSAS is a shared access signature, taken where there is no Bearer.
	AzureSAS federation.Secret
}
