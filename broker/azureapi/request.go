package azureapi

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Bounds of what an application may ask for: it is part of a cache key and of a
// request to Entra.
const (
	maxResource = 1024
	maxClaims   = 4096
)

// request is what an application asks for.
type request struct {
	clientID         string
	source           Source
	resource, claims string
}

// parse reads a query; problem is what is wrong with it.
func (h *Handler) parse(query string) (asked request, problem string) {
	q, err := url.ParseQuery(query)
	if err != nil {
		// The part that cannot be read might name another identity.
		return request{}, "the query cannot be read"
	}
	asked = request{h.ClientID, h.AccessToken, q.Get("resource"), q.Get("claims")}
	switch {
	case len(asked.resource) > maxResource || !printable(asked.resource) || len(q["resource"]) != 1:
		return request{}, "the parameter resource is required once, of at most 1024 printable characters"
	case len(asked.claims) > maxClaims || len(q["claims"]) > 1 || asked.claims != "" && !isObject(asked.claims):
		return request{}, "the parameter claims must be a JSON object, of at most 4096 characters"
	}
	if problem := h.identity(q, &asked); problem != "" {
		return request{}, problem
	}
	return asked, ""
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

// identity finds whose token is asked for, and says why it is nobody's here: this pod's
// token is never given under another's name. The pod knows its own by client ID
// only: it cannot tell whether an object or a resource ID is the same one's.
func (h *Handler) identity(q url.Values, asked *request) (problem string) {
	for _, parameter := range []string{"mi_res_id", "msi_res_id", "object_id", "principal_id"} {
		if strings.Join(q[parameter], "") != "" {
			return parameter + " cannot tell which identity is asked for: " + h.known()
		}
	}
	ids := q["client_id"]
	if len(ids) > 1 {
		return "the parameter client_id is given more than once"
	}
	if len(ids) == 0 || ids[0] == "" {
		if h.Any != nil {
			return "the pod's ServiceAccount names no client ID, so that each request needs a client_id: give it to the SDK, set AZURE_CLIENT_ID, or annotate the ServiceAccount"
		}
		return ""
	}
	if strings.EqualFold(ids[0], h.ClientID) {
		return ""
	}
	for id, source := range h.Others {
		if strings.EqualFold(ids[0], id) {
			asked.clientID, asked.source = id, source
			return ""
		}
	}
	if h.Any == nil {
		return "client_id asks for another identity than this pod's: " + strings.Join(h.clientIDs(), ", ")
	}
	source, ok := h.Any(ids[0])
	if !ok {
		return "client_id is no client ID: these are GUIDs"
	}
	asked.clientID, asked.source = strings.ToLower(ids[0]), source
	return ""
}

// known says by which identities a request may go.
func (h *Handler) known() string {
	if h.Any != nil {
		return "name it by its client_id"
	}
	return "this pod's has the client_id " + h.ClientID
}

func (h *Handler) clientIDs() []string {
	return append([]string{h.ClientID}, slices.Sorted(maps.Keys(h.Others))...)
}
