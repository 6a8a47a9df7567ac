package kubedoctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// credential asks the API server who the bearer of the token is, and reads the token. The
// kubeconfig's own is taken of the request, so that it is had as kubectl has it: of a file,
// or of a program, whose words go to standard error.
func (r *run) credential(ctx context.Context) ([]finding.Finding, error) {
	asked := rest.CopyConfig(r.config)
	var seen bearer
	own := r.token == ""
	if own {
		asked.Wrap(seen.watch)
	} else {
		asked = rest.AnonymousClientConfig(r.config)
		asked.BearerToken = r.token
	}
	client, err := kubernetes.NewForConfig(asked)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	err = r.ask(ctx, client)
	if own {
		r.token = seen.token
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case own && !seen.asked && err != nil:
		f := finding.Sides(finding.Bad(codeCredential, "kubeconfig", "gives no credential: the program that it names does not give one"), "", err.Error())
		return []finding.Finding{finding.Fix(f, "read what the program says above; docs/kubeconfig.md and docs/people.md have what such programs want")}, nil
	case r.token == "":
		f := finding.Broad(codeNoToken, "kubeconfig", "signs its user in without a token, by a client certificate or a password that no provider can end")
		return []finding.Finding{finding.Fix(f, "give a token with --token-file, or have podpass kubeconfig write a kubeconfig that gets one")}, nil
	case err != nil:
		return nil, fmt.Errorf("ask the API server who the token's bearer is: %w", err)
	}
	return r.read(), nil
}

// read reads the token's claims.
func (r *run) read() []finding.Finding {
	token, err := federation.ParseSubjectToken([]byte(r.token))
	if err != nil {
		f := finding.Bad(kubetrust.CodeToken, "token", "cannot be read, so that no issuer can be asked about it: "+finding.Clip(err.Error()))
		if r.answered != nil {
			f.Severity = finding.Info
		}
		return []finding.Finding{finding.Fix(f, "give the token of an issuer; of a person it is the ID token")}
	}
	r.claims = &token.Claims
	if now := time.Now(); r.Configuration == nil && !token.Expiry.IsZero() && token.Expiry.Before(now) {
		f := finding.Sides(finding.Bad(kubetrust.CodeExpired, "token", "has expired"), "after "+now.UTC().Format(time.RFC3339), token.Expiry.UTC().Format(time.RFC3339))
		return []finding.Finding{finding.Fix(f, "get a new one: log in again, or look at what should renew it")}
	}
	return nil
}

// ask has the API server say who the bearer is. That it does not take the token is no error.
func (r *run) ask(ctx context.Context, client kubernetes.Interface) error {
	answer, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	switch {
	case apierrors.IsUnauthorized(err):
		r.refusal = err
		return nil
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err): // before 1.28, or by policy
		return nil
	case err != nil:
		return err
	}
	u := answer.Status.UserInfo
	r.answered = &kubetrust.User{Username: u.Username, UID: u.UID, Groups: u.Groups}
	for key, values := range u.Extra {
		if r.answered.Extra == nil {
			r.answered.Extra = map[string][]string{}
		}
		r.answered.Extra[key] = values
	}
	r.user = r.answered
	return nil
}

// bearer sees which token a client sends.
type bearer struct {
	asked bool
	token string
}

// watch is a rest.Config's wrapper; those of credentials are outside of it.
func (b *bearer) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		b.asked = true
		if token, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer "); ok {
			b.token = token
		}
		return next.RoundTrip(request)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
