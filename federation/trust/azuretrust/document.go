package azuretrust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxDocument bounds what is read: twenty credentials take some 20 KiB.
	maxDocument = 1 << 20
	// maxCredentials bounds those of several identities together.
	maxCredentials = 2000
)

// Document are the federated credentials of an identity.
type Document struct {
	// Client is the client ID of the identity; empty: the document does not tell.
	Client      string
	Credentials []Credential
}

// Credential is a federated identity credential, as Azure Resource Manager (of a managed
// identity) and Microsoft Graph (of an application) have it.
// https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
type Credential struct {
	Name      string   `json:"name"`
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
	// Expression takes the subject's place in a flexible credential; nil elsewhere.
	Expression *Expression `json:"claimsMatchingExpression,omitempty"`
}

// Expression is what a flexible credential compares the token's claims with.
type Expression struct {
	Value           string `json:"value"`
	LanguageVersion int    `json:"languageVersion"`
}

// Parse reads all credentials of a text, whosever they are: see [ParseAll].
func Parse(raw []byte) (Document, error) {
	list, err := ParseAll(raw)
	var all Document
	for _, d := range list {
		all.Credentials = append(all.Credentials, d.Credentials...)
	}
	return all, err
}

// ParseAll reads what az prints in JSON, its default:
//
//	az identity federated-credential list --identity-name NAME --resource-group GROUP
//	az ad app federated-credential list --id CLIENT
//
// or show instead of list, or the answer of either API itself, or what podpass trust azure
// -o json does. Several of them may follow each other. Of these the last alone names the
// identities, by their client IDs, each of which gets a document of its own; what is of an
// identity without a name is one document.
func ParseAll(raw []byte) ([]Document, error) {
	if len(raw) > maxDocument {
		return nil, fmt.Errorf("larger than %d KiB", maxDocument>>10)
	}
	var r reader
	in := json.NewDecoder(bytes.NewReader(raw))
	for n := 1; ; n++ {
		var part json.RawMessage
		if err := in.Decode(&part); errors.Is(err, io.EOF) {
			if n == 1 {
				return nil, errors.New("empty")
			}
			return r.documents, nil
		} else if err != nil {
			return nil, fmt.Errorf("not JSON: %w; az prints it with -o json", err)
		}
		if err := r.add(part); err != nil {
			return nil, fmt.Errorf("object %d: %w", n, err)
		}
	}
}

// reader puts together what is read.
type reader struct {
	documents []Document
	count     int // credentials of all documents
}

// of is the document of an identity.
func (r *reader) of(client string) *Document {
	for n := range r.documents {
		if strings.EqualFold(r.documents[n].Client, client) {
			return &r.documents[n]
		}
	}
	r.documents = append(r.documents, Document{Client: client})
	return &r.documents[len(r.documents)-1]
}

// add takes a list, in an API's wrapping or not, or one credential, or a plan.
func (r *reader) add(part json.RawMessage) error {
	if part[0] == '[' {
		return r.list("", part)
	}
	var wrapped struct {
		Value json.RawMessage `json:"value"`
		Plan  []struct {
			Client      string          `json:"clientId"`
			Credentials json.RawMessage `json:"federatedIdentityCredentials"`
		} `json:"identities"`
	}
	if err := json.Unmarshal(part, &wrapped); err != nil {
		return errors.New("not a federated credential")
	}
	for _, identity := range wrapped.Plan {
		if err := r.list(identity.Client, identity.Credentials); err != nil {
			return err
		}
	}
	switch {
	case wrapped.Plan != nil:
		return nil
	case len(wrapped.Value) > 0 && wrapped.Value[0] == '[':
		return r.list("", wrapped.Value)
	}
	return r.credential("", part)
}

func (r *reader) list(client string, part json.RawMessage) error {
	var items []json.RawMessage
	if err := json.Unmarshal(part, &items); err != nil {
		return err
	}
	r.of(client) // it may trust nobody
	for _, item := range items {
		if err := r.credential(client, item); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) credential(client string, item json.RawMessage) error {
	var c struct {
		Credential
		// Properties is where Azure Resource Manager has all but the name.
		Properties *Credential `json:"properties"`
	}
	if err := json.Unmarshal(item, &c); err != nil {
		return fmt.Errorf("federated credential: %w", err)
	}
	if c.Properties != nil {
		c.Properties.Name = c.Name
		c.Credential = *c.Properties
	}
	if c.Issuer == "" {
		return errors.New("not a federated credential: it has no issuer; see az identity federated-credential list, and az ad app federated-credential list")
	}
	if r.count++; r.count > maxCredentials {
		return fmt.Errorf("more than %d federated credentials", maxCredentials)
	}
	d := r.of(client)
	d.Credentials = append(d.Credentials, c.Credential)
	return nil
}
