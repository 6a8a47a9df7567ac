package statickey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Kind of a static credential.
type Kind string

// The kinds.
const (
	AWSAccessKey           Kind = "aws-access-key"
	AWSBedrockKey          Kind = "aws-bedrock-key"
	GCPServiceAccountKey   Kind = "gcp-service-account-key"
	GCPAuthorizedUser      Kind = "gcp-authorized-user"
	GCPHMACKey             Kind = "gcp-hmac-key"
	AzureClientSecret      Kind = "azure-client-secret"
	AzureClientCertificate Kind = "azure-client-certificate"
	AzurePassword          Kind = "azure-password"
	AzureStorageKey        Kind = "azure-storage-key"
	AzureSharedAccessKey   Kind = "azure-shared-access-key"
	AzureSAS               Kind = "azure-sas"
	KubernetesToken        Kind = "kubernetes-token"
	KubernetesClientKey    Kind = "kubernetes-client-key"
	KubernetesPassword     Kind = "kubernetes-password"
	RegistryPassword       Kind = "registry-password"
)

// Confidence in that a value is a static credential that something takes.
type Confidence string

const (
	// Certain: its shape alone tells.
	Certain Confidence = "certain"
	// Likely: its shape fits, and so does a name.
	Likely Confidence = "likely"
	// Possible: the name alone says so.
	Possible Confidence = "possible"
)

// Named is one value and its name: a Secret's data key, a variable, a file's path.
type Named struct {
	Name string
	// As are further names under which the value is read: variables of containers that
	// take it, or that hold the path at which it is mounted.
	As    []string
	Value []byte
}

// Key is a static credential that was recognised. Its fields can be shown; the secret
// cannot.
type Key struct {
	// Cloud is aws, gcp, azure, or kubernetes for clusters.
	Cloud string `json:"cloud"`
	Kind  Kind   `json:"kind"`
	// ID names the credential and is not secret: an access key's ID, a Google account's
	// email, an application's client ID, a storage account. Empty where nothing beside
	// the secret says it.
	ID string `json:"id,omitempty"`
	// KeyID names the one key of several that ID has: Google's private_key_id.
	KeyID string `json:"keyID,omitempty"`
	// Account is where it belongs: AWS's account, Google's project, Azure's tenant, a
	// cluster's server.
	Account string `json:"account,omitempty"`
	// Parts are the names of the values that hold a part of it that is secret, sorted.
	Parts []string `json:"parts"`
	// IDParts are those that hold what belongs to it and is not secret, sorted.
	IDParts    []string   `json:"idParts,omitempty"`
	Confidence Confidence `json:"confidence"`
	// Evidence says in words why it is one.
	Evidence []string `json:"evidence"`
	// Ends is when it says itself that it ends; zero: never.
	Ends time.Time `json:"ends,omitzero"`

	secret string
	// group of the text that it was found in.
	group int
}

// Fingerprint is the same for the same secret wherever it is found, and says nothing of
// it to whoever lacks the key: 16 hexadecimal digits of HMAC-SHA256.
func (k Key) Fingerprint(key []byte) string {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, k.secret) // a hash takes all
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// String gives kind and ID.
func (k Key) String() string { return string(k.Kind) + " " + k.ID }

// Format implements [fmt.Formatter]: whatever the verb, %#v and %d too, it prints String,
// and not the secret.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// ID is a part of a credential that is not secret, of which the secret was not among the
// same values: it may be in another object that the same container reads.
type ID struct {
	// Role is what the ID is of: an access key's, an application's, a tenant's.
	Role Role   `json:"role"`
	ID   string `json:"id"`
	Part string `json:"part"`
}

// Role of an [ID].
type Role string

// The roles.
const (
	AccessKeyID Role = "access key"
	ClientID    Role = "client"
	TenantID    Role = "tenant"
	AccountName Role = "storage account"
)

// Complete gives k what the IDs say that a container reads beside it; ok is false if
// they say that it is temporary, and no static key.
func (k Key) Complete(ids []ID) (_ Key, ok bool) {
	one := func(role Role) string {
		found := ""
		for _, id := range ids {
			if id.Role != role || id.ID == found {
				continue
			}
			if found != "" {
				return "" // which of them is not known
			}
			found = id.ID
		}
		return found
	}
	switch k.Kind {
	case AWSAccessKey, GCPHMACKey:
		if id := one(AccessKeyID); k.ID == "" && id != "" {
			if temporary(id) {
				return k, false
			}
			k = k.withAccessKey(id)
		}
	case AzureClientSecret, AzureClientCertificate:
		if k.ID == "" {
			k.ID = one(ClientID)
		}
		if k.Account == "" {
			k.Account = one(TenantID)
		}
	case AzureStorageKey:
		if k.ID == "" {
			k.ID = one(AccountName)
		}
	default: // it says itself whose it is
	}
	return k, true
}
