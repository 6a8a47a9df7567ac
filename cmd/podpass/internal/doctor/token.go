package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// token asks for a token of each audience, as kubelet will, and looks at its claims.
func (r *run) token(ctx context.Context, a *account) ([]found, error) {
	var out []found
	for _, audience := range audiences(a.answer) {
		t, err := r.tokens(a)(audience).SubjectToken(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return append(out, a.refused(err, audience)), nil
		}
		out = append(out, a.claims(t.Claims, audience, time.Now())...)
	}
	return out, nil
}

func (a *account) command(audience string) string {
	return fmt.Sprintf("kubectl create token -n %s %s --audience %s --duration 10m # secret: do not paste what it prints", a.namespace, a.name, audience)
}

// refused is about a token that the cluster does not give.
func (a *account) refused(err error, audience string) found {
	cause := err
	if e, ok := errors.AsType[*federation.Error](err); ok && e.Err != nil {
		cause = e.Err
	}
	if apierrors.IsForbidden(cause) {
		return forbidden(cause, "create", "serviceaccounts/token", a.namespace, checkExchange, checkTrust)
	}
	return found{Finding: finding.Finding{
		Code: codeTokenRefused, Severity: finding.Error, Where: a.where(), Message: "the cluster gives no token of it for the audience " + audience,
		Seen: cause.Error(), Fix: "see the API server's answer; kubelet is given the same", Command: a.command(audience),
	}}
}

// shortened is how much a token's life may differ from what was asked for: clocks, and
// the time of the request.
const shortened = 10 * time.Second

// claims holds a token against what was asked for. The clouds compare to the letter.
func (a *account) claims(c federation.Claims, audience string, now time.Time) []found {
	var out []found
	differs := func(claim, expected, seen, fix string) {
		if expected != seen {
			out = append(out, one(finding.Finding{
				Code: codeClaims, Severity: finding.Error, Where: a.where() + " token claim " + claim, Message: "the cluster's token is not what was asked for",
				Expected: expected, Seen: seen, Fix: fix, Command: a.command(audience),
			})...)
		}
	}
	differs("sub", "system:serviceaccount:"+a.namespace+":"+a.name, c.Subject, "find out what stands between you and the API server: a Kubernetes API server writes no other subject")
	seen := strings.Join(c.Audiences, " ")
	if slices.Equal(c.Audiences, []string{audience}) {
		seen = audience
	}
	differs("aud", audience, seen, "find out what stands between you and the API server, which gives the audience that is asked for")
	if life := c.Expiry.Sub(c.IssuedAt); !c.IssuedAt.IsZero() && life < leastLife-shortened {
		out = append(out, one(finding.Finding{
			Code: codeTokenLife, Severity: finding.Warning, Where: a.where(), Message: "the cluster shortens the life of tokens, so that kubelet replaces them more often than it can be relied on",
			Expected: leastLife.String() + " or more", Seen: life.String(), Fix: "raise --service-account-max-token-expiration of the API servers, or leave it out", Command: a.command(audience),
		})...)
	}
	if !c.Expiry.After(now) {
		differs("exp", "after "+stamp(now), stamp(c.Expiry), "set the clock of this machine, or of the control plane")
	}
	return out
}

// leastLife is the shortest that an API server gives.
const leastLife = 10 * time.Minute
