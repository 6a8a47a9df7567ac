// Package trust is what a cloud must hold so that ServiceAccounts of clusters get an
// identity there, and whether what it does hold lets a given token in. Each cloud has a
// package of the same shape: Render gives a Plan, Evaluate a Verdict. All of it is pure:
// no network, no cluster, no credentials.
package trust

import (
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Cluster is one whose tokens a cloud is to trust.
type Cluster struct {
	// Name is used for names and comments of the cloud's objects; it may be empty.
	Name string `json:"name,omitempty"`
	// Issuer is the iss claim of its tokens, to the letter.
	Issuer string `json:"issuer"`
	// JWKS are the issuer's public keys, where the cloud cannot fetch them; empty
	// elsewhere.
	JWKS []byte `json:"-"`
}

// Account is a ServiceAccount of a cluster, and the identities that it asks for.
type Account struct {
	Cluster   Cluster
	Namespace string
	Name      string
	// Answer is what serviceaccount.Resolve makes of its annotations: what the webhook
	// will do is what is rendered here.
	Answer serviceaccount.Answer
}

// Subject is the sub claim of the account's tokens.
func (a Account) Subject() string { return "system:serviceaccount:" + a.Namespace + ":" + a.Name }

// Plan is what one cloud must hold, in each form in which people tell it. The three say
// the same.
type Plan interface {
	// JSON is what the cloud's API takes, indented.
	JSON() ([]byte, error)
	// Terraform is HCL for the provider that HashiCorp publishes.
	Terraform() ([]byte, error)
	// Shell is a script of the cloud's own command line, which can be run twice.
	Shell() ([]byte, error)
}

// Verdict says whether a cloud that holds a document takes a token.
type Verdict struct {
	Allowed bool `json:"allowed"`
	// By is what let it in: "Statement[0]"; empty if nothing did.
	By string `json:"by,omitempty"`
	// Findings say why not; of a token that is let in, what is broader than it need be.
	Findings []finding.Finding `json:"findings,omitempty"`
}
