package kubetrust

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// User is who the token's bearer is for the API server: what SelfSubjectReview answers.
type User struct {
	Username string              `json:"username"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
}

// Verdict says whether the API server takes a token, and for whom.
type Verdict struct {
	trust.Verdict
	User *User `json:"user,omitempty"`
}

// Evaluate says whether an API server with the configuration takes a token: by which
// issuer, and who its bearer is; or which rule refuses it. The API server's own packages
// decide. A token of the API server's own ServiceAccounts is nobody's here.
func Evaluate(ctx context.Context, d *Document, t Token) Verdict {
	refused := func(list ...finding.Finding) Verdict { return Verdict{Verdict: trust.Verdict{Findings: list}} }
	s, err := t.read()
	if err != nil {
		return refused(finding.Fix(finding.Bad(CodeToken, "token", err.Error()), "give the token of an issuer, not an opaque one; of a person it is the ID token"))
	}
	e := evaluation{document: d, token: s, keys: unchecked{}}
	var notes []finding.Finding
	switch {
	case len(t.JWKS) > 0:
		set, err := newKeySet(t.JWKS)
		if err != nil {
			return refused(finding.Fix(finding.Bad(CodeSignature, "keys", err.Error()), "give what the issuer's jwks_uri answers"))
		}
		e.keys, e.set = set, &set
	case s.endless:
		notes = append(notes, finding.Note(CodeUnverified, "token", "was described by claims without exp: neither a signature nor the end was looked at"))
	default:
		notes = append(notes, finding.Fix(finding.Note(CodeUnverified, "token", "has a signature that was not looked at"), "give the issuer's keys"))
	}
	n, found := e.issuer()
	if n < 0 {
		return refused(found)
	}
	a := d.configuration.JWT[n]
	where := fmt.Sprintf("jwt[%d] %s", n, a.Issuer.URL)
	user, err := e.authenticate(ctx, a)
	if err != nil {
		return refused(e.explain(ctx, where, a, err)...)
	}
	return Verdict{
		Verdict: trust.Verdict{Allowed: true, By: where, Findings: append(e.traps(where, a, *user), notes...)},
		User:    user,
	}
}

// evaluation is one token before one document.
type evaluation struct {
	document *Document
	token    seen
	keys     interface {
		VerifySignature(context.Context, string) ([]byte, error)
	}
	set *keySet // nil: signatures are not looked at
}

// issuer finds the authenticator whose token it is; -1: none, and why.
func (e evaluation) issuer() (int, finding.Finding) {
	if n := e.document.of(e.token.issuer); n >= 0 {
		return n, finding.Finding{}
	}
	f := finding.Sides(finding.Bad(CodeIssuer, "configuration", "has no issuer of the token's iss"), strings.Join(e.document.Issuers(), ", "), e.token.issuer)
	f = finding.Fix(f, "add the issuer: podpass trust kube")
	for n, a := range e.document.configuration.JWT {
		if way := trust.Spelling(a.Issuer.URL, e.token.issuer); way != "" {
			f = finding.Sides(finding.Bad(CodeIssuerSpelling, fmt.Sprintf("jwt[%d]", n), "differs from the token's iss in "+way+", and is compared to the letter"), a.Issuer.URL, e.token.issuer)
			f = finding.Fix(f, "write the issuer's url as the token has it")
		}
	}
	return -1, f
}

// offline answers for every network: this package asks none.
type offline struct{}

var errOffline = errors.New("podpass asks no network")

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errOffline }

// authenticate asks the API server's own authenticator, and adds the group that the server
// adds to everybody.
func (e evaluation) authenticate(ctx context.Context, a apiserver.JWTAuthenticator) (*User, error) {
	a.Issuer.DiscoveryURL = "" // the keys are here
	own, err := oidc.New(ctx, oidc.Options{
		JWTAuthenticator: a, KeySet: e.keys, Compiler: e.document.compiler,
		Client: &http.Client{Transport: offline{}},
		// What a server with a configuration takes; the flags' default is RS256 alone.
		SupportedSigningAlgs: oidc.AllValidSigningAlgorithms(),
	})
	if err != nil {
		return nil, err
	}
	request := authenticator.RequestFunc(func(r *http.Request) (*authenticator.Response, bool, error) {
		return own.AuthenticateToken(r.Context(), e.token.raw)
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	answer, ok, err := group.NewAuthenticatedGroupAdder(request).AuthenticateRequest(r)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errors.New("no authenticator takes the token")
	}
	u := answer.User
	return &User{Username: u.GetName(), UID: u.GetUID(), Groups: u.GetGroups(), Extra: u.GetExtra()}, nil
}
