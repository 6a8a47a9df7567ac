package oidc

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation"
)

// kinds is what the codes of OAuth 2.0 mean: RFC 6749, section 5.2, and RFC 8693,
// section 2.2.2. Servers explain themselves in texts of their own, which are shown.
var kinds = map[string]federation.Kind{
	"invalid_request":         federation.KindConfig,
	"invalid_scope":           federation.KindConfig,
	"invalid_target":          federation.KindConfig,
	"unsupported_grant_type":  federation.KindConfig,
	"invalid_grant":           federation.KindIssuerUntrusted,
	"invalid_client":          federation.KindDenied,
	"unauthorized_client":     federation.KindDenied,
	"access_denied":           federation.KindDenied,
	"slow_down":               federation.KindThrottled,
	"server_error":            federation.KindUnavailable,
	"temporarily_unavailable": federation.KindUnavailable,
}

// failure is what an error is explained from.
type failure struct {
	Source Source
	Claims federation.Claims
}

func explain(resp *federation.Response, f failure) error {
	e := &federation.Error{Cloud: cloud, Op: op, Status: resp.Status, RetryAfter: federation.RetryAfter(resp.Header)}
	var in struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(resp.Body, &in) == nil {
		e.Code, e.Message = in.Error, in.Description
	}
	kind, known := kinds[e.Code]
	switch {
	case resp.Status == 429:
		e.Kind = federation.KindThrottled
	case resp.Status >= 500, resp.Status < 400:
		e.Kind = federation.KindUnavailable
	case known:
		e.Kind = kind
	case resp.Status == 404:
		e.Kind = federation.KindConfig
	default:
		e.Kind = federation.KindDenied
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d and no text that can be read", f.Source.TokenURL, resp.Status)
	}
	e.Hint = hint(e, f)
	return e
}

func hint(e *federation.Error, f failure) string {
	c := f.Claims
	who := fmt.Sprintf("the token of ServiceAccount %s/%s has issuer %q, subject %q, audience %q",
		c.Namespace, c.ServiceAccount, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	switch e.Kind {
	case federation.KindIssuerUntrusted:
		return fmt.Sprintf("%s; the server of token source %s must trust exactly that issuer and audience, map that subject, and be able to fetch the issuer's keys", who, f.Source.Name)
	case federation.KindDenied:
		return fmt.Sprintf("%s; the server of token source %s does not give that subject a token", who, f.Source.Name)
	case federation.KindConfig:
		return fmt.Sprintf("the administrator checks the chart value oidc.tokenSources.%s: tokenURL %s, grant, scope and parameters", f.Source.Name, f.Source.TokenURL)
	default:
		return ""
	}
}
