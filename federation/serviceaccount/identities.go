// Package serviceaccount reads which cloud identities a ServiceAccount asks for.
//
// It is pure: annotations and labels in, identities and problems out. The same
// functions serve the webhook, the command line and the tests.
package serviceaccount

import (
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Identities are the identities of one pod, by cloud; nil: none in that cloud. Its
// JSON is the broker's configuration (PODPASS_IDENTITIES).
type Identities struct {
	AWS   *aws.Identity   `json:"aws,omitempty"`
	GCP   *gcp.Identity   `json:"gcp,omitempty"`
	Azure *azure.Identity `json:"azure,omitempty"`
	OIDC  *oidc.Identity  `json:"oidc,omitempty"`
}

// Mode is how a pod's containers get credentials for one cloud.
type Mode string

const (
	// ModeBroker: from the broker sidecar; the token is mounted there only.
	ModeBroker Mode = "broker"
	// ModeDirect: the token and the SDK's federation variables are in the containers.
	ModeDirect Mode = "direct"
)
