package gcpsts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// described is a provider, or a pool, as gcloud describes it.
type described struct {
	State              string            `json:"state"`
	Disabled           bool              `json:"disabled"`
	AttributeMapping   map[string]string `json:"attributeMapping"`
	AttributeCondition string            `json:"attributeCondition"`
	OIDC               *struct {
		IssuerURI        string   `json:"issuerUri"`
		AllowedAudiences []string `json:"allowedAudiences"`
		JWKSJSON         string   `json:"jwksJson"`
	} `json:"oidc"`
}

// switchedOff reports whether STS does not know a provider: it, or its pool, is disabled
// or deleted, or it cannot be read.
func switchedOff(p trust.GCPProvider) bool {
	for _, text := range []string{p.Described, p.Pool} {
		var d described
		if err := yaml.Unmarshal([]byte(text), &d); err != nil || d.Disabled || d.State == "DELETED" {
			return true
		}
	}
	return false
}

// verifyDescribed is verify for a provider as gcloud describes it.
func (s *Server) verifyDescribed(r *http.Request, p trust.GCPProvider, token string) (issued, *refusal) {
	client := func(format string, args ...any) (issued, *refusal) {
		return issued{}, &refusal{"unauthorized_client", fmt.Sprintf(format, args...)}
	}
	var d described
	if err := yaml.Unmarshal([]byte(p.Described), &d); err != nil {
		return client("The provider cannot be read.")
	}
	if d.OIDC == nil {
		return issued{}, &refusal{"invalid_request", "Invalid token type for this provider."}
	}
	claims, err := s.Verifier.Verify(r.Context(), token)
	if d.OIDC.JWKSJSON != "" {
		claims, err = s.Verifier.VerifyWith(token, []byte(d.OIDC.JWKSJSON))
	}
	if refused := unverified(claims, err, d.OIDC.IssuerURI); refused != nil {
		return issued{}, refused
	}
	audiences := d.OIDC.AllowedAudiences
	if len(audiences) == 0 {
		audiences = []string{"//iam.googleapis.com/" + p.Name, "https://iam.googleapis.com/" + p.Name}
	}
	if !slices.ContainsFunc(claims.Audiences, func(a string) bool { return slices.Contains(audiences, a) }) {
		return issued{}, &refusal{"invalid_grant", "The audience in ID Token [" + strings.Join(claims.Audiences, ",") + "] does not match the expected audience."}
	}
	payload, err := payloadOf(token)
	if err != nil {
		return client("The ID Token cannot be read.")
	}
	attributes, err := attributesOf(payload, d.AttributeMapping)
	if err != nil {
		return client("%v", err)
	}
	if d.AttributeCondition != "" {
		if ok, err := holds(d.AttributeCondition, map[string]any{"assertion": payload, "google": attributes["google"], "attribute": attributes["attribute"]}); err != nil || !ok {
			return client("The given credential is rejected by the attribute condition.")
		}
	}
	return bearerOf(p.Name, attributes), nil
}

func payloadOf(token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var payload map[string]any
	return payload, json.Unmarshal(raw, &payload)
}

// attributesOf maps the claims: "google" and "attribute", each a map.
func attributesOf(payload map[string]any, mapping map[string]string) (map[string]map[string]any, error) {
	attributes := map[string]map[string]any{"google": {}, "attribute": {}}
	for key, expression := range mapping {
		kind, name, ok := strings.Cut(key, ".")
		if !ok || attributes[kind] == nil {
			return nil, fmt.Errorf("there is no attribute %q", key)
		}
		value, err := evaluate(expression, map[string]any{"assertion": payload})
		if err != nil {
			continue // an attribute that is missing
		}
		attributes[kind][name] = value
	}
	subject, ok := attributes["google"]["subject"].(string)
	switch {
	case !ok:
		return nil, errors.New("The mapped attribute 'google.subject' must be of type STRING.") //nolint:revive,staticcheck // Google's words
	case subject == "" || len(subject) > maxSubject:
		return nil, errors.New("The size of mapped attribute google.subject exceeds the 127 bytes limit.") //nolint:revive,staticcheck // Google's words
	}
	return attributes, nil
}

// bearerOf names the bearer of a federated token, and the sets that it is in.
func bearerOf(provider string, attributes map[string]map[string]any) issued {
	pool := "://iam.googleapis.com/" + provider[:strings.Index(provider, "/providers/")]
	bearer := issued{principal: "principal" + pool + "/subject/" + attributes["google"]["subject"].(string)}
	in := func(path string) { bearer.sets = append(bearer.sets, "principalSet"+pool+"/"+path) }
	in("*")
	for name, value := range attributes["attribute"] {
		if text, ok := value.(string); ok {
			in("attribute." + name + "/" + text)
		}
	}
	switch groups := attributes["google"]["groups"].(type) {
	case string:
		in("group/" + groups)
	case []any:
		for _, group := range groups {
			in(fmt.Sprint("group/", group))
		}
	}
	return bearer
}
