package azuretrust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxDocument bounds what is read: twenty credentials take some 20 KiB.
	maxDocument = 1 << 20
	// maxCredentials bounds those of several identities together.
	maxCredentials = 2000
)

// Document are the federated credentials of an identity.
type Document struct {
	Credentials []Credential
}

// With is both documents as one.
func (d Document) With(other Document) Document {
	return Document{append(d.Credentials[:len(d.Credentials):len(d.Credentials)], other.Credentials...)}
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

// Parse reads what az prints in JSON, its default:
//
//	az identity federated-credential list --identity-name NAME --resource-group GROUP
//	az ad app federated-credential list --id CLIENT
//
// or show instead of list, or the answer of either API itself, or what podpass trust azure
// -o json does. Several of them may follow each other.
func Parse(raw []byte) (Document, error) {
	var d Document
	if len(raw) > maxDocument {
		return d, fmt.Errorf("larger than %d KiB", maxDocument>>10)
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	for n := 1; ; n++ {
		var part json.RawMessage
		if err := in.Decode(&part); errors.Is(err, io.EOF) {
			if n == 1 {
				return d, errors.New("empty")
			}
			return d, nil
		} else if err != nil {
			return d, fmt.Errorf("not JSON: %w; az prints it with -o json", err)
		}
		if err := d.add(part); err != nil {
			return d, fmt.Errorf("object %d: %w", n, err)
		}
	}
}

// add takes a list, in an API's wrapping or not, or one credential.
func (d *Document) add(part json.RawMessage) error {
	if part[0] == '[' {
		return d.list(part)
	}
	var wrapped struct {
		Value json.RawMessage `json:"value"`
		Plan  []struct {
			Credentials json.RawMessage `json:"federatedIdentityCredentials"`
		} `json:"identities"`
	}
	if err := json.Unmarshal(part, &wrapped); err != nil {
		return errors.New("not a federated credential")
	}
	for _, identity := range wrapped.Plan {
		if err := d.list(identity.Credentials); err != nil {
			return err
		}
	}
	if wrapped.Plan != nil {
		return nil
	}
	if len(wrapped.Value) > 0 && wrapped.Value[0] == '[' {
		return d.list(wrapped.Value)
	}
	return d.credential(part)
}

func (d *Document) list(part json.RawMessage) error {
	var items []json.RawMessage
	if err := json.Unmarshal(part, &items); err != nil {
		return err
	}
	for _, item := range items {
		if err := d.credential(item); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) credential(item json.RawMessage) error {
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
	if len(d.Credentials) == maxCredentials {
		return fmt.Errorf("more than %d federated credentials", maxCredentials)
	}
	d.Credentials = append(d.Credentials, c.Credential)
	return nil
}
