package gcptrust

import (
	"strings"

	"github.com/podpass-io/podpass/federation"
)

// token is what Google sees of a subject token.
type token struct {
	federation.Claims
	// payload are all claims, for expressions.
	payload map[string]any
}

func newToken(c federation.Claims, payload map[string]any) token {
	namespace, account, ok := strings.Cut(strings.TrimPrefix(c.Subject, "system:serviceaccount:"), ":")
	if ok && c.ServiceAccount == "" {
		c.Namespace, c.ServiceAccount = namespace, account
	}
	if payload == nil {
		payload = payloadOf(c)
	}
	return token{c, payload}
}

// payloadOf gives claims the shape that a bound ServiceAccount token has, without those
// that claims do not tell.
func payloadOf(c federation.Claims) map[string]any {
	audiences := make([]any, 0, len(c.Audiences))
	for _, a := range c.Audiences {
		audiences = append(audiences, a)
	}
	kubernetes := map[string]any{"namespace": c.Namespace, "serviceaccount": map[string]any{"name": c.ServiceAccount}}
	if c.Pod != "" {
		kubernetes["pod"] = map[string]any{"name": c.Pod, "uid": c.PodUID}
	}
	if c.Node != "" {
		kubernetes["node"] = map[string]any{"name": c.Node}
	}
	payload := map[string]any{"iss": c.Issuer, "sub": c.Subject, "aud": audiences, "kubernetes.io": kubernetes}
	if !c.Expiry.IsZero() {
		payload["exp"] = c.Expiry.Unix()
	}
	if !c.IssuedAt.IsZero() {
		payload["iat"] = c.IssuedAt.Unix()
	}
	return payload
}
