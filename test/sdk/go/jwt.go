package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// claims are what names the bearer of a token that a cloud signed.
type claims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Audience string `json:"aud"`
	AppID    string `json:"appid"`
	TenantID string `json:"tid"`
}

// readClaims reads, and does not verify: the token came from the SDK.
func readClaims(jwt string) (claims, error) {
	var c claims
	err := decodeClaims(jwt, &c)
	return c, err
}

// readBoundToken reads a ServiceAccount's own token.
func readBoundToken(jwt string) (subject string, audiences []string, err error) {
	var c struct {
		Subject   string   `json:"sub"`
		Audiences []string `json:"aud"`
	}
	err = decodeClaims(jwt, &c)
	return c.Subject, c.Audiences, err
}

func decodeClaims(jwt string, into any) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return errors.New("the token is not a JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, into) != nil {
		return errors.New("the token's claims cannot be read") // the decoder's text may quote them
	}
	return nil
}
