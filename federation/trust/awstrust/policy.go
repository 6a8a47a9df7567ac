package awstrust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Policy is a role's trust policy.
type Policy struct {
	Version    string     `json:"Version,omitempty"`
	ID         string     `json:"Id,omitempty"`
	Statements statements `json:"Statement"`
}

// Statement is one of a Policy. An element that is not there is nil.
type Statement struct {
	Sid          string     `json:"Sid,omitempty"`
	Effect       string     `json:"Effect"`
	Principal    *Principal `json:"Principal,omitempty"`
	NotPrincipal *Principal `json:"NotPrincipal,omitempty"`
	Action       Strings    `json:"Action,omitempty"`
	NotAction    Strings    `json:"NotAction,omitempty"`
	// A trust policy may not have these two; they are read to be refused.
	Resource    Strings `json:"Resource,omitempty"`
	NotResource Strings `json:"NotResource,omitempty"`
	// Condition is by operator, then by key.
	Condition map[string]map[string]Strings `json:"Condition,omitempty"`
}

// Principal are those whom a statement is about. IAM writes everyone as "*".
type Principal struct {
	Everyone                               bool
	Federated, AWS, Service, CanonicalUser Strings
}

type principals struct {
	Federated     Strings `json:"Federated,omitempty"`
	AWS           Strings `json:"AWS,omitempty"`
	Service       Strings `json:"Service,omitempty"`
	CanonicalUser Strings `json:"CanonicalUser,omitempty"`
}

// UnmarshalJSON reads both forms.
func (p *Principal) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		p.Everyone = text == "*"
		if !p.Everyone {
			return fmt.Errorf("Principal is the text %.80q, which only \"*\" may be", text) //nolint:staticcheck // begins with the element's name
		}
		return nil
	}
	var by principals
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&by); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	p.Federated, p.AWS, p.Service, p.CanonicalUser = by.Federated, by.AWS, by.Service, by.CanonicalUser
	// IAM's two ways to say it.
	p.Everyone = slices.Contains(p.AWS, "*")
	return nil
}

// MarshalJSON is IAM's form.
func (p Principal) MarshalJSON() ([]byte, error) {
	by := principals{Federated: p.Federated, AWS: p.AWS, Service: p.Service, CanonicalUser: p.CanonicalUser}
	if p.Everyone && len(p.AWS) == 0 {
		return json.Marshal("*")
	}
	return json.Marshal(by)
}

// all are the principals of every kind, for messages.
func (p Principal) all() []string {
	if p.Everyone {
		return []string{"*"}
	}
	return slices.Concat(p.Federated, p.AWS, p.Service, p.CanonicalUser)
}

// Strings are what IAM takes as one value or a list of them. Numbers and booleans are
// their text.
type Strings []string

// UnmarshalJSON reads both forms.
func (s *Strings) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	*s = make(Strings, 0, len(list))
	for _, raw := range list {
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return err
		}
		switch v := v.(type) {
		case string:
			*s = append(*s, v)
		case json.Number, bool:
			*s = append(*s, fmt.Sprint(v))
		default:
			return errors.New("a value is neither text nor a number nor true or false")
		}
	}
	return nil
}

// MarshalJSON writes a list of one as IAM's own console does.
func (s Strings) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]string(s))
}

// statements are a list, or one without it.
type statements []Statement

// UnmarshalJSON reads both forms.
func (s *statements) UnmarshalJSON(b []byte) error {
	if first := bytes.TrimSpace(b); len(first) > 0 && first[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]Statement)(s))
}

// condition is one line of a statement's conditions.
type condition struct {
	operator string
	key      string
	values   Strings
}

// conditions are a statement's, in one order.
func (s Statement) conditions() []condition {
	var list []condition
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		keys := s.Condition[operator]
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			list = append(list, condition{operator, key, keys[key]})
		}
	}
	return list
}
