package gcp

import (
	"encoding/json"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// common is what the codes of Google's error model mean, in all of its APIs.
// https://cloud.google.com/apis/design/errors
var common = endpoint.Table{
	{Code: "SERVICE_DISABLED", Kind: federation.KindConfig},
	{Code: "USER_PROJECT_DENIED", Kind: federation.KindConfig},
	{Code: "INVALID_ARGUMENT", Kind: federation.KindConfig},
	{Code: "NOT_FOUND", Kind: federation.KindConfig},
	{Code: "UNAUTHENTICATED", Kind: federation.KindDenied},
	{Code: "PERMISSION_DENIED", Kind: federation.KindDenied},
	{Code: "RESOURCE_EXHAUSTED", Kind: federation.KindThrottled},
}

// sts is what the errors of STS mean: OAuth's codes are few, so part of the text
// decides. Texts quote the issuer's URL and the audience, so that no row may look for
// a word that these have.
var sts = append(endpoint.Table{
	{Code: "invalid_target", Kind: federation.KindConfig},
	{Code: "invalid_request", Kind: federation.KindConfig},
	{Code: "invalid_scope", Kind: federation.KindConfig},
	{Code: "invalid_grant", Text: "the issuer in id token", Kind: federation.KindIssuerUntrusted},
	{Code: "invalid_grant", Text: "the audience in id token", Kind: federation.KindAudienceMismatch},
	{Code: "invalid_grant", Text: "connecting to the given credential's issuer", Kind: federation.KindIssuerUntrusted},
	{Code: "invalid_grant", Text: "is stale", Kind: federation.KindTokenExpired},
	{Code: "invalid_grant", Text: "expired", Kind: federation.KindTokenExpired},
	{Code: "invalid_grant", Text: mappedAttribute, Kind: federation.KindConfig},
	{Code: "invalid_grant", Kind: federation.KindIssuerUntrusted},
	{Code: "unauthorized_client", Kind: federation.KindDenied},
	{Code: "access_denied", Kind: federation.KindDenied},
}, common...)

// mappedAttribute is what STS calls the provider's mapping.
const mappedAttribute = "mapped attribute"

// read gives the error of an answer: OAuth's (RFC 6749, section 5.2), or that of
// Google's error model, which STS's front end speaks too.
func read(r endpoint.Response) (endpoint.Words, bool) {
	var in struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(r.Body, &in) != nil {
		return endpoint.Words{}, false
	}
	var code string
	if json.Unmarshal(in.Error, &code) == nil {
		return endpoint.Words{Code: code, Message: in.Description}, true
	}
	var status struct {
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []struct {
			Reason     string `json:"reason"`
			RetryDelay string `json:"retryDelay"`
		} `json:"details"`
	}
	if json.Unmarshal(in.Error, &status) != nil {
		return endpoint.Words{}, false
	}
	w := endpoint.Words{Code: status.Status, Class: status.Status, Message: status.Message}
	for _, d := range status.Details {
		if d.Reason != "" {
			w.Code = d.Reason
		}
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil {
			w.RetryAfter = delay
		}
	}
	return w, true
}
