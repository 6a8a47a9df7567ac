package trustkube

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// ownIssuer is the API server's own, where there is no API server.
const ownIssuer = "https://own.example.com"

// TestCases: Evaluate says what people wrote.
func TestCases(t *testing.T) {
	i := newIssuer(t)
	for _, c := range load(t) {
		t.Run(c.Name, func(t *testing.T) {
			holds(t, c, verdict(t.Context(), i, c.configuration(t, i, ownIssuer), c.encoded(t, i, ownIssuer), ownIssuer))
		})
	}
}

// TestBatches: no case's verdict depends on those that share its configuration.
func TestBatches(t *testing.T) {
	i := newIssuer(t)
	n := 0
	for _, batch := range batches(load(t)) {
		configuration := merged(batch).configuration(t, i, ownIssuer)
		for _, c := range batch {
			n++
			t.Run(c.Name, func(t *testing.T) {
				holds(t, c, verdict(t.Context(), i, configuration, c.encoded(t, i, ownIssuer), ownIssuer))
			})
		}
	}
	if all := len(load(t)); n != all {
		t.Errorf("%d of %d cases are in batches", n, all)
	}
}

func verdict(ctx context.Context, i *issuer, configuration []byte, token, own string) kubetrust.Verdict {
	d, found := kubetrust.Parse(configuration, kubetrust.Options{OwnIssuers: []string{own}})
	if d == nil {
		v := kubetrust.Verdict{}
		v.Findings = found
		return v
	}
	return kubetrust.Evaluate(ctx, d, kubetrust.Token{Raw: federation.Secret(token), JWKS: i.jwks()})
}

func holds(t *testing.T, c Case, got kubetrust.Verdict) {
	t.Helper()
	if got.Allowed != c.Taken {
		t.Errorf("taken: %t, want %t: %v", got.Allowed, c.Taken, got.Findings)
	}
	var codes []string
	for _, f := range got.Findings {
		codes = append(codes, f.Code)
	}
	if diff := cmp.Diff(c.Codes, codes); diff != "" {
		t.Errorf("codes: -want +got\n%s%v", diff, got.Findings)
	}
	user := kubetrust.User{}
	if got.User != nil {
		user = *got.User
	}
	if diff := cmp.Diff(c.user(), user); diff != "" {
		t.Errorf("user: -want +got\n%s", diff)
	}
}

func (c Case) user() kubetrust.User {
	return kubetrust.User{Username: c.Username, UID: c.UID, Groups: c.Groups, Extra: c.Extra}
}
