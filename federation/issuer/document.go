package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// DiscoveryPath is where OpenID Connect Discovery puts the document below the issuer, and
// DefaultJWKSPath where an API server puts its keys.
const (
	DiscoveryPath   = "/.well-known/openid-configuration"
	DefaultJWKSPath = "/openid/v1/jwks"
)

// Document is an OIDC discovery document: the members that an API server gives, which are
// those that the clouds read.
type Document struct {
	Issuer        string   `json:"issuer"`
	JWKSURI       string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
}

// NewDocument gives the document of an issuer with these keys; jwksPath is below the
// issuer, and begins with a slash.
func NewDocument(issuer, jwksPath string, keys Keys) (Document, error) {
	if err := CheckURL(issuer); err != nil {
		return Document{}, err
	}
	if !strings.HasPrefix(jwksPath, "/") || jwksPath == DiscoveryPath || strings.Contains(jwksPath, "..") {
		return Document{}, fmt.Errorf("JWKS path %q: want one like %s", jwksPath, DefaultJWKSPath)
	}
	return Document{
		Issuer: issuer, JWKSURI: strings.TrimSuffix(issuer, "/") + jwksPath,
		ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"}, Algorithms: keys.Algorithms(),
	}, nil
}

// ParseDocument reads a discovery document; what else it holds is ignored.
func ParseDocument(raw []byte) (Document, error) {
	var d Document
	if err := json.Unmarshal(raw, &d); err != nil {
		return Document{}, errors.New("not the JSON of a discovery document")
	}
	return d, nil
}

// JSON is the document as it is published, indented.
func (d Document) JSON() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // an issuer may hold an ampersand's like, and people compare by eye
	if err := encoder.Encode(d); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// JWKSPath is where below the issuer the keys are; ok is false if they are elsewhere.
func (d Document) JWKSPath() (path string, ok bool) {
	rest, ok := strings.CutPrefix(d.JWKSURI, strings.TrimSuffix(d.Issuer, "/"))
	return rest, ok && strings.HasPrefix(rest, "/")
}

// CheckURL says why a cloud could take no issuer of this URL: OpenID Connect Core demands
// https without query and fragment, and a cloud compares it letter by letter.
func CheckURL(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("empty")
	case err != nil:
		return errors.New("not a URL")
	case u.Scheme != "https":
		return errors.New("not https")
	case u.Host == "":
		return errors.New("without a host")
	case u.User != nil:
		return errors.New("with a user name")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#"):
		return errors.New("with a query or a fragment")
	case len(issuer) > maxURL:
		return fmt.Errorf("of %d characters, more than the %d that AWS takes", len(issuer), maxURL)
	}
	return nil
}

// maxURL in characters: IAM's bound for an OIDC provider, the smallest of the clouds'.
const maxURL = 255
