// Package oidc is for whatever else trusts the cluster's OpenID tokens: it names the
// plain tokens that a ServiceAccount has for verifiers of its own, and trades a bound
// token for an access token of any OAuth 2.0 server.
package oidc

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// Identity is what the broker trades tokens for.
type Identity struct {
	Sources []Source `json:"sources"`
}

// Audience is a plain token of the ServiceAccount: the name of its file, and who it
// is for.
type Audience struct {
	Name     string
	Audience string
}

// Source is an OAuth 2.0 token endpoint, as the administrator describes it.
type Source struct {
	// Name by which ServiceAccounts and applications ask for it.
	Name string `json:"name,omitempty"`
	// TokenURL is where the token is sent: https, or http on loopback.
	TokenURL string `json:"tokenURL"`
	// Audience of the subject token, as the server expects it.
	Audience string `json:"audience"`
	// Grant is how the server takes the token; default TokenExchange.
	Grant Grant `json:"grant,omitempty"`
	// ClientID, if the server wants one; required with ClientCredentials.
	ClientID string `json:"clientID,omitempty"`
	// Encoding of the request; default Form.
	Encoding Encoding `json:"encoding,omitempty"`
	// Scope that is asked for, separated by spaces; empty: the server's default.
	Scope string `json:"scope,omitempty"`
	// Parameters are further fields of the request, such as resource, audience,
	// requested_token_type, subject_token_type or what only this server knows.
	Parameters map[string]string `json:"parameters,omitempty"`
}

// TokenFile is the name of the file with the subject token, among the broker's.
func (s Source) TokenFile() string { return "oidc-" + s.Name }

// Grant is a way to trade a token.
type Grant string

const (
	// TokenExchange is RFC 8693: the token is the subject token.
	TokenExchange Grant = "token-exchange"
	// JWTBearer is RFC 7523, section 2.1: the token is the authorization grant.
	JWTBearer Grant = "jwt-bearer"
	// ClientCredentials is RFC 7523, section 2.2: the token authenticates the client.
	ClientCredentials Grant = "client-credentials"
)

// Encoding is how a request is written.
type Encoding string

const (
	// Form is what the standards say.
	Form Encoding = "form"
	// JSON is an object of the same fields, which JFrog's servers want.
	JSON Encoding = "json"
)

// Reserved are the fields that a grant itself sets.
func Reserved() []string {
	return []string{"grant_type", "subject_token", "assertion", "client_assertion", "client_assertion_type", "client_id", "client_secret", "scope"}
}

// What an administrator may set, for the chart's schema too. Lengths are in characters.
const (
	AudiencePattern  = `^[!-+\--~]+$` // printable, no comma
	ParameterPattern = `^[a-zA-Z0-9_.-]{1,256}$`
	MaxAudience      = 256
	MaxParameters    = 16
	MaxParameter     = 1024
)

var (
	audiencePattern = regexp.MustCompile(AudiencePattern)
	// Compiled when it is first used: it takes a quarter of a MiB.
	parameterPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(ParameterPattern) })
)

// ValidAudience reports whether s can be a token's audience: printable ASCII without
// blanks and commas.
func ValidAudience(s string) bool { return len(s) <= MaxAudience && audiencePattern.MatchString(s) }

// ParseAudience reads "<name>=<audience>", or an audience that can be its own name.
func ParseAudience(s string) (Audience, error) {
	name, audience, ok := strings.Cut(s, "=")
	if !ok || !federation.ValidName(name) {
		name, audience = s, s
	}
	switch {
	case !ValidAudience(audience):
		return Audience{}, errors.New("is not an audience: want at most 256 printable characters, none of them a blank or a comma")
	case !federation.ValidName(name):
		return Audience{}, errors.New("cannot be the name of a file")
	}
	return Audience{Name: name, Audience: audience}, nil
}

// Validate reports all that is wrong with a source.
func (s Source) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(federation.ValidName(s.Name), "the name %q is not 1 to 32 lower case letters, digits and -", s.Name)
	if err := endpoint.Check(s.TokenURL); err != nil {
		errs = append(errs, fmt.Errorf("tokenURL: %w", err))
	}
	bad(ValidAudience(s.Audience), "audience: %q: want the audience that the server expects in the token", s.Audience)
	bad(slices.Contains([]Grant{"", TokenExchange, JWTBearer, ClientCredentials}, s.Grant), "grant: %q is none of token-exchange, jwt-bearer, client-credentials", s.Grant)
	bad(slices.Contains([]Encoding{"", Form, JSON}, s.Encoding), "encoding: %q is neither form nor json", s.Encoding)
	bad(s.Grant != ClientCredentials || s.ClientID != "", "clientID: required with the grant client-credentials")
	bad(len(s.Parameters) <= MaxParameters, "parameters: more than %d", MaxParameters)
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		bad(parameterPattern().MatchString(name), "parameters: %q is not the name of a field", name)
		bad(!slices.Contains(Reserved(), name), "parameters.%s: the grant sets it", name)
		bad(utf8.RuneCountInString(s.Parameters[name]) <= MaxParameter, "parameters.%s: longer than %d characters", name, MaxParameter)
	}
	return errors.Join(errs...)
}
