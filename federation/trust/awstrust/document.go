package awstrust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
)

// Document is what AWS was told: a role with its trust policy, and the IAM OIDC
// providers of its account, as far as they are known. A Document without a role is about
// providers alone.
type Document struct {
	Role      *Role
	Providers []Provider
}

// Role is the part of a role that decides who may assume it.
type Role struct {
	// ARN is empty where only the policy is known.
	ARN    string `json:"Arn,omitempty"`
	Name   string `json:"RoleName,omitempty"`
	Policy Policy `json:"AssumeRolePolicyDocument"`
}

// Provider is an IAM OIDC provider.
type Provider struct {
	ARN       string   `json:"Arn,omitempty"`
	URL       string   `json:"Url"` // IAM prints it without https://
	ClientIDs []string `json:"ClientIDList"`
}

// Name of the document, for people: "role orders".
func (d Document) Name() string {
	switch {
	case d.Role == nil && len(d.Providers) > 0:
		return "provider " + strings.TrimPrefix(d.Providers[0].URL, "https://")
	case d.Role == nil:
		return "no document"
	case d.Role.Name != "":
		return "role " + d.Role.Name
	case d.Role.ARN != "":
		return "role " + aws.NameOf(d.Role.ARN)
	}
	return "trust policy"
}

// maxDocuments bounds how many roles are read of one text: an account has 5,000 at most.
const maxDocuments = 5000

// printed are the forms that `aws iam` prints, told apart by their fields.
type printed struct {
	Role      *printedRole  `json:"Role"`  // get-role, create-role
	Roles     []printedRole `json:"Roles"` // list-roles
	Providers []Provider    `json:"OpenIDConnectProviders"`
	// Of a role alone, of a provider (get-open-id-connect-provider), of a policy alone.
	Policy    json.RawMessage `json:"AssumeRolePolicyDocument"`
	URL       string          `json:"Url"`
	Statement json.RawMessage `json:"Statement"`
}

type printedRole struct {
	RoleName string          `json:"RoleName"`
	RoleARN  string          `json:"Arn"`
	Policy   json.RawMessage `json:"AssumeRolePolicyDocument"`
}

// Parse reads one document: see [ParseAll].
func Parse(raw []byte) (Document, error) {
	list, err := ParseAll(raw)
	if err != nil {
		return Document{}, err
	}
	if len(list) != 1 {
		return Document{}, fmt.Errorf("%d roles, want one", len(list))
	}
	return list[0], nil
}

// ParseAll reads what `aws iam get-role`, `list-roles` and
// `get-open-id-connect-provider` print as JSON, a trust policy alone, and what Render
// writes, any number of them one after another: a Document for each role, with the
// providers that are there; one without a role, if there are only providers. Errors say
// what is wrong with the text; what is wrong with a policy is Evaluate's to say.
func ParseAll(raw []byte) ([]Document, error) {
	text := strings.TrimSpace(string(raw))
	if strings.HasPrefix(text, "%7B") { // as IAM's API has it, and --output text prints it
		plain, err := url.QueryUnescape(text)
		if err != nil {
			return nil, fmt.Errorf("an encoded policy: %w", err)
		}
		text = plain
	}
	var list []Document
	d := json.NewDecoder(strings.NewReader(text))
	for n := 1; ; n++ {
		var one json.RawMessage
		err := d.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			list, err = appendDocuments(list, one)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no document")
	}
	return Join(list), nil
}

// Join gives each of the documents that has a role the providers of all of them.
func Join(list []Document) []Document {
	var roles []Document
	var providers []Provider
	for _, d := range list {
		providers = append(providers, d.Providers...)
		if d.Role != nil {
			roles = append(roles, Document{Role: d.Role})
		}
	}
	if roles == nil {
		return []Document{{Providers: providers}}
	}
	for n := range roles {
		roles[n].Providers = providers
	}
	return roles
}

func appendDocuments(list []Document, raw json.RawMessage) ([]Document, error) {
	if bytes.HasPrefix(raw, []byte("[")) {
		var several []json.RawMessage
		if err := json.Unmarshal(raw, &several); err != nil {
			return nil, err
		}
		var err error
		for _, one := range several {
			if list, err = appendDocuments(list, one); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	var p printed
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, errors.New("not what aws iam get-role prints: not a JSON object with its fields")
	}
	roles := p.Roles
	switch {
	case p.Role != nil:
		roles = append(roles, *p.Role)
	case p.Policy != nil:
		var r printedRole
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, err
		}
		roles = append(roles, r)
	case p.Statement != nil:
		roles = append(roles, printedRole{Policy: raw})
	case p.URL != "":
		var provider Provider
		if err := json.Unmarshal(raw, &provider); err != nil {
			return nil, err
		}
		return append(list, Document{Providers: []Provider{provider}}), nil
	case p.Roles == nil && p.Providers == nil:
		return nil, errors.New("neither a role nor a trust policy nor an OIDC provider: want the JSON that aws iam get-role prints")
	}
	if len(list)+len(roles) > maxDocuments {
		return nil, fmt.Errorf("more than %d roles", maxDocuments)
	}
	for _, r := range roles {
		role, err := r.role()
		if err != nil {
			return nil, err
		}
		list = append(list, Document{Role: role})
	}
	if p.Providers != nil {
		list = append(list, Document{Providers: p.Providers})
	}
	return list, nil
}

// role reads the policy, which is an object, or its text, encoded as IAM's API does or
// not.
func (r printedRole) role() (*Role, error) {
	role := &Role{ARN: r.RoleARN, Name: r.RoleName}
	raw := []byte(r.Policy)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if plain, err := url.QueryUnescape(text); err == nil && strings.HasPrefix(text, "%") {
			text = plain
		}
		raw = []byte(text)
	}
	if len(raw) == 0 {
		return nil, fmt.Errorf("role %.80q: AssumeRolePolicyDocument is missing", r.RoleName)
	}
	if err := json.Unmarshal(raw, &role.Policy); err != nil {
		return nil, fmt.Errorf("role %.80q: trust policy: %w", r.RoleName, err)
	}
	return role, nil
}
