package oidc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// table is what the codes of OAuth 2.0 mean: RFC 6749, section 5.2, and RFC 8693,
// section 2.2.2. Servers explain themselves in texts of their own, which are shown.
var table = endpoint.Table{
	{Code: "invalid_request", Kind: federation.KindConfig},
	{Code: "invalid_scope", Kind: federation.KindConfig},
	{Code: "invalid_target", Kind: federation.KindConfig},
	{Code: "unsupported_grant_type", Kind: federation.KindConfig},
	{Code: "invalid_grant", Kind: federation.KindIssuerUntrusted},
	{Code: "invalid_client", Kind: federation.KindDenied},
	{Code: "unauthorized_client", Kind: federation.KindDenied},
	{Code: "access_denied", Kind: federation.KindDenied},
	{Code: "slow_down", Kind: federation.KindThrottled},
	{Code: "server_error", Kind: federation.KindUnavailable},
	{Code: "temporarily_unavailable", Kind: federation.KindUnavailable},
}

// unaccepted is the code of a token that is not accepted, by grant: RFC 8693, section
// 2.2.2, and RFC 7523, sections 3.1 and 3.2.
var unaccepted = map[Grant]string{"": "invalid_request", TokenExchange: "invalid_request", JWTBearer: "invalid_grant", ClientCredentials: "invalid_client"}

// failure is what an error of a server is explained from.
type failure struct {
	Source Source
	Claims federation.Claims
}

// Table implements endpoint.Cloud.
func (f failure) Table() endpoint.Table {
	return append(endpoint.Table{{Code: unaccepted[f.Source.Grant], Kind: federation.KindIssuerUntrusted}}, table...)
}

// Read implements endpoint.Cloud: an error of RFC 6749, or the text of a server of
// another form, but no page. A success is not shown, for it may be a token.
func (f failure) Read(r endpoint.Response) (endpoint.Words, bool) {
	var in struct {
		Error       json.RawMessage `json:"error"`
		Description json.RawMessage `json:"error_description"`
	}
	var w endpoint.Words
	// What is not there, or is no string, is empty.
	if json.Unmarshal(r.Body, &in) == nil {
		_ = json.Unmarshal(in.Error, &w.Code)
		_ = json.Unmarshal(in.Description, &w.Message)
	}
	switch text := bytes.TrimSpace(r.Body); {
	case w != (endpoint.Words{}):
	case bytes.HasPrefix(text, []byte("<")):
		return w, false
	case r.Status < 300:
		w.Message = fmt.Sprintf("%s answered with status %d and no access_token", f.Source.TokenURL, r.Status)
	case printable(text):
		w.Message = string(text)
	}
	return w, true
}

func printable(text []byte) bool {
	return utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}

// Hint implements endpoint.Cloud.
func (f failure) Hint(e *federation.Error) string {
	settings := fmt.Sprintf("the administrator checks the chart value oidc.tokenSources.%s: tokenURL %s, grant, encoding, scope and parameters", f.Source.Name, f.Source.TokenURL)
	switch e.Kind {
	case federation.KindIssuerUntrusted:
		h := fmt.Sprintf("%s; the server of token source %s must trust exactly that issuer and audience, map that subject, and be able to fetch the issuer's keys", f.Claims, f.Source.Name)
		if e.Code != "invalid_grant" { // then it may be the request, too
			h += "; or " + settings
		}
		return h
	case federation.KindDenied:
		return fmt.Sprintf("%s; the server of token source %s does not give that subject a token", f.Claims, f.Source.Name)
	case federation.KindConfig:
		return settings
	default:
		return ""
	}
}
