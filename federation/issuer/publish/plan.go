package publish

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/federation/issuer"
)

// Wanted is what is to be published.
type Wanted struct {
	// Issuer is the URL below which the place is read.
	Issuer string
	// JWKSPath is where below it the keys are; [issuer.DefaultJWKSPath].
	JWKSPath string
	// Keys are to be there, beside those that are there.
	Keys issuer.Keys
	// Drop are the kids of keys that are to go; one that is not there is gone already.
	Drop []string
	// Replace takes what is there for nothing: for what is no JWKS, holds a private key, or
	// was another issuer's.
	Replace bool
}

// Plan is what publishing changes in a place.
type Plan struct {
	// Keys are those that will be published, and Added and Dropped the kids that change.
	Keys           issuer.Keys
	Added, Dropped []string
	// Writes are the objects that change, in the order of their writing; none: all is as
	// wanted.
	Writes []Object

	place Place
	had   []Version
}

// OtherIssuerError: the place is another issuer's.
type OtherIssuerError struct{ Want, Have string }

func (e *OtherIssuerError) Error() string {
	return fmt.Sprintf("the place has the discovery document of another issuer, %q, not of %q", e.Have, e.Want)
}

// UnreadableError: what is published is not what podpass could add to.
type UnreadableError struct {
	Path string
	Err  error
}

func (e *UnreadableError) Error() string { return fmt.Sprintf("published %s: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *UnreadableError) Unwrap() error { return e.Err }

// Prepare reads a place and says what to change. Nothing is written. Its errors are the
// place's, [*OtherIssuerError], [*UnreadableError] and [*issuer.ConflictError].
func Prepare(ctx context.Context, place Place, w Wanted) (*Plan, error) {
	for _, kid := range w.Drop {
		if _, ok := w.Keys.Find(kid); ok {
			return nil, fmt.Errorf("the key %s is both to be published and to be dropped", kid)
		}
	}
	jwks, jwksVersion, err := place.Get(ctx, w.JWKSPath)
	if err != nil {
		return nil, err
	}
	discovery, discoveryVersion, err := place.Get(ctx, issuer.DiscoveryPath)
	if err != nil {
		return nil, err
	}
	published, err := current(w, jwks, jwksVersion, discovery, discoveryVersion)
	if err != nil {
		return nil, err
	}
	p := &Plan{place: place}
	if p.Keys, err = issuer.Merge(published.Without(w.Drop...), w.Keys); err != nil {
		return nil, err
	}
	if len(p.Keys) == 0 {
		return nil, fmt.Errorf("no key would be left at %s", w.JWKSPath)
	}
	p.Added, p.Dropped = missing(p.Keys, published), missing(published, p.Keys)

	document, err := issuer.NewDocument(w.Issuer, w.JWKSPath, p.Keys)
	if err != nil {
		return nil, fmt.Errorf("issuer %q: %w", w.Issuer, err)
	}
	keysText, err := p.Keys.JWKS()
	if err != nil {
		return nil, err
	}
	documentText, err := document.JSON()
	if err != nil {
		return nil, err
	}
	p.write(w.JWKSPath, keysText, jwks, jwksVersion)
	p.write(issuer.DiscoveryPath, documentText, discovery, discoveryVersion)
	return p, nil
}

// current are the keys that are published, if they are this issuer's.
func current(w Wanted, jwks Object, jwksVersion Version, discovery Object, discoveryVersion Version) (issuer.Keys, error) {
	if w.Replace {
		return nil, nil
	}
	if discoveryVersion != "" {
		d, err := issuer.ParseDocument(discovery.Body)
		if err != nil {
			return nil, &UnreadableError{issuer.DiscoveryPath, err}
		}
		if d.Issuer != w.Issuer {
			return nil, &OtherIssuerError{Want: w.Issuer, Have: d.Issuer}
		}
	}
	if jwksVersion == "" {
		return nil, nil
	}
	keys, err := issuer.ParseKeys(jwks.Body)
	if err != nil {
		return nil, &UnreadableError{w.JWKSPath, err}
	}
	return keys, nil
}

func missing(of, in issuer.Keys) (kids []string) {
	for _, k := range of {
		if _, ok := in.Find(k.ID); !ok && !slices.Contains(kids, k.ID) {
			kids = append(kids, k.ID)
		}
	}
	return kids
}

func (p *Plan) write(path string, body []byte, is Object, had Version) {
	o := Object{Path: path, ContentType: contentType, CacheControl: issuer.CacheControl, Body: body}
	if had != "" && bytes.Equal(is.Body, body) && is.ContentType == o.ContentType && is.CacheControl == o.CacheControl {
		return
	}
	p.Writes, p.had = append(p.Writes, o), append(p.had, had)
}

// Apply writes what changes, the keys first. Ended anywhere between, it leaves what readers
// can use, and a new Prepare finds the rest. [ErrChanged]: prepare again.
func (p *Plan) Apply(ctx context.Context) error {
	for i, o := range p.Writes {
		if err := p.place.Put(ctx, o, p.had[i]); err != nil {
			return fmt.Errorf("publish %s to %s: %w", o.Path, p.place, err)
		}
	}
	return nil
}
