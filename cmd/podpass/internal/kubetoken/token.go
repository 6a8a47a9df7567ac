package kubetoken

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
)

// Token is for an API server.
type Token struct {
	Secret federation.Secret
	// Issued is when it came, and Expiry when it ends.
	Issued, Expiry time.Time
	// Claims of a JWT; nil: it is none, which only whoever gave it can read.
	Claims *federation.Claims
}

// early is how long before its end a token is not used any more: its way to the API
// server, and by how much its clock may be ahead. client-go sends a token until the second
// of its end and asks for a new one when it was refused, so that a request would fail.
const early = 15 * time.Second

// Until is when the token is not to be sent any more: a little before its end, of a short
// life a tenth of it.
func (t Token) Until() time.Time {
	return t.Expiry.Add(-min(early, t.Expiry.Sub(t.Issued)/10))
}

// renewal is when another one is to be got: a fifth of the life is left, as for the
// credentials of the broker.
func (t Token) renewal() time.Time { return t.Expiry.Add(-t.Expiry.Sub(t.Issued) / 5) }

// askAgain is when a client is to ask again: when it can be renewed; if that has failed, when
// it ends. So one that runs for long survives that nobody gives tokens for a while.
func (t Token) askAgain(now time.Time) time.Time {
	if r := t.renewal(); r.After(now) {
		return r
	}
	return t.Until()
}

// ofJWT is a token that came now.
func ofJWT(t federation.SubjectToken, now time.Time) Token {
	return Token{Secret: federation.Secret(t.Reveal()), Issued: now, Expiry: t.Expiry, Claims: &t.Claims}
}

// ofCredential is what a token source gave.
func ofCredential(c federation.Credential, now time.Time) Token {
	t := Token{Secret: c.Token, Issued: now, Expiry: c.Expiry.Time()}
	if parsed, err := federation.ParseSubjectToken([]byte(c.Token.Reveal())); err == nil {
		t.Claims = &parsed.Claims
		if parsed.Expiry.Before(t.Expiry) {
			t.Expiry = parsed.Expiry
		}
	}
	return t
}

// check says why a token is not to be sent: it has ended, or is for others than the
// audience; "" asks for none. name is what the message calls it.
func (t Token) check(name, audience string, now time.Time) error {
	return exit.Found(t.refuse(name, audience, now))
}

func (t Token) refuse(name, audience string, now time.Time) error {
	switch {
	case !t.Expiry.After(now):
		return hint.New(fmt.Errorf("%s expired at %s; it is %s now", name, federation.Timestamp(t.Expiry), federation.Timestamp(now)),
			"get a new one; or set this machine's clock, if that is wrong")
	case audience == "":
		return nil
	case t.Claims == nil:
		return hint.New(fmt.Errorf("%s is no JWT, so that nobody can tell whether it is for %q", name, audience),
			"leave out --audience, if the API server takes such tokens; most take none but JWTs")
	case !slices.Contains(t.Claims.Audiences, audience):
		return hint.New(fmt.Errorf("%s is for audience %q, and %q is asked for", name, strings.Join(t.Claims.Audiences, ","), audience),
			"have it issued for the audience that the API server takes, and ask for that one")
	}
	return nil
}

// parse reads a token that somebody else put somewhere.
func parse(name string, raw []byte) (federation.SubjectToken, error) {
	t, err := federation.ParseSubjectToken(raw)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
