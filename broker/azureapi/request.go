package azureapi

import (
	"encoding/json"
	"net/url"
	"strings"
)

// Bounds of what an application may ask for: it is part of a cache key and of a
// request to Entra.
const (
	maxResource = 1024
	maxClaims   = 4096
)

// request is what an application asks for.
type request struct{ resource, claims string }

// parse reads a query; problem is what is wrong with it.
func (h *Handler) parse(query string) (wanted request, problem string) {
	q, err := url.ParseQuery(query)
	if err != nil {
		// The part that cannot be read might name another identity.
		return request{}, "the query cannot be read"
	}
	wanted = request{q.Get("resource"), q.Get("claims")}
	switch {
	case len(wanted.resource) > maxResource || !printable(wanted.resource) || len(q["resource"]) != 1:
		return request{}, "the parameter resource is required once, of at most 1024 printable characters"
	case len(wanted.claims) > maxClaims || len(q["claims"]) > 1 || wanted.claims != "" && !isObject(wanted.claims):
		return request{}, "the parameter claims must be a JSON object, of at most 4096 characters"
	}
	if other := otherIdentity(q, h.ClientID); other != "" {
		// Never this pod's token under another's name.
		return request{}, other + " asks for another identity than this pod's, whose client_id is " + h.ClientID
	}
	return wanted, ""
}

// printable reports that s can be a scope's beginning (RFC 6749, section 3.3).
func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '"' || c == '\\'
	})
}

func isObject(s string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &object) == nil && object != nil
}

// otherIdentity names the parameter that asks for an identity which is not the
// pod's. The pod knows its own by client ID only: it cannot tell whether an object
// or a resource ID is the same one's.
func otherIdentity(q url.Values, clientID string) string {
	for _, id := range q["client_id"] {
		if id != "" && !strings.EqualFold(id, clientID) {
			return "client_id"
		}
	}
	for _, parameter := range []string{"mi_res_id", "msi_res_id", "object_id", "principal_id"} {
		for _, id := range q[parameter] {
			if id != "" {
				return parameter
			}
		}
	}
	return ""
}
