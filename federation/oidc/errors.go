package oidc

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

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

// kindOf reads a code. A token that is not accepted has another one by grant: RFC
// 8693, section 2.2.2, and RFC 7523, section 3.2.
func kindOf(code string, g Grant) (federation.Kind, bool) {
	switch {
	case code == "invalid_request" && (g == "" || g == TokenExchange),
		code == "invalid_client" && g == ClientCredentials:
		return federation.KindIssuerUntrusted, true
	}
	kind, ok := kinds[code]
	return kind, ok
}

// failure is what an error is explained from.
type failure struct {
	Source Source
	Token  federation.SubjectToken
}

// Bounds of what is shown of a server's answer: it is anybody's.
const (
	maxCode = 64
	maxText = 1024
)

func explain(resp *federation.Response, f failure) error {
	e := &federation.Error{Cloud: cloud, Op: op, Status: resp.Status, RetryAfter: federation.RetryAfter(resp.Header)}
	e.Code, e.Message = read(resp.Body)
	if e.Code == "" && e.Message == "" && resp.Status >= 400 && printable(resp.Body) {
		// A server of another form. A success is not shown: it may be a token.
		e.Message = strings.TrimSpace(string(resp.Body))
	}
	// A server may repeat what it could not verify.
	e.Code = federation.Clip(e.Code, maxCode)
	e.Message = federation.Clip(strings.ReplaceAll(e.Message, f.Token.Reveal(), "(the token)"), maxText)
	kind, known := kindOf(e.Code, f.Source.Grant)
	switch {
	case resp.Status == 429:
		e.Kind = federation.KindThrottled
	case resp.Status >= 500:
		e.Kind = federation.KindUnavailable
	case known:
		e.Kind = kind
	case resp.Status < 400:
		e.Kind = federation.KindUnavailable // somebody else's answer, a proxy's perhaps
	case resp.Status == 404:
		e.Kind = federation.KindConfig
	default:
		e.Kind = federation.KindDenied
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d, no access_token, and no text that can be read", f.Source.TokenURL, resp.Status)
	}
	e.Hint = hint(e, f)
	return e
}

// read gives the code and the text of an error of RFC 6749.
func read(body []byte) (code, text string) {
	var in struct {
		Error       json.RawMessage `json:"error"`
		Description json.RawMessage `json:"error_description"`
	}
	// What is not there, or is no string, is empty.
	if json.Unmarshal(body, &in) == nil {
		_ = json.Unmarshal(in.Error, &code)
		_ = json.Unmarshal(in.Description, &text)
	}
	return code, text
}

func printable(body []byte) bool {
	return utf8.Valid(body) && !strings.ContainsFunc(string(body), func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}

func hint(e *federation.Error, f failure) string {
	c := f.Token.Claims
	who := fmt.Sprintf("the token of ServiceAccount %s/%s has issuer %q, subject %q, audience %q",
		c.Namespace, c.ServiceAccount, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	settings := fmt.Sprintf("the administrator checks the chart value oidc.tokenSources.%s: tokenURL %s, grant, encoding, scope and parameters", f.Source.Name, f.Source.TokenURL)
	switch e.Kind {
	case federation.KindIssuerUntrusted:
		h := fmt.Sprintf("%s; the server of token source %s must trust exactly that issuer and audience, map that subject, and be able to fetch the issuer's keys", who, f.Source.Name)
		if e.Code != "invalid_grant" { // then it may be the request, too
			h += "; or " + settings
		}
		return h
	case federation.KindDenied:
		return fmt.Sprintf("%s; the server of token source %s does not give that subject a token", who, f.Source.Name)
	case federation.KindConfig:
		return settings
	default:
		return ""
	}
}
