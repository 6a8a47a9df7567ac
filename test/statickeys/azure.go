package statickeys

import (
	"encoding/base64"
	"net/url"
	"time"

	"github.com/podpass-io/podpass/federation/statickey"
)

// azureClient is an application of Entra ID with a client secret.
type azureClient struct{ tenant, id, secret string }

// newAzureClient makes one with a secret of the form that Entra ID gives: 40 characters
// with a digit and "Q~" after the first three.
func newAzureClient() azureClient {
	const alphabet = upper + lower + digits + "_.~-"
	return azureClient{uuid(), uuid(), text(3, upper+lower+digits) + text(1, digits) + "Q~" + text(34, alphabet)}
}

func (c azureClient) found() found {
	return found{cloud: "azure", kind: statickey.AzureClientSecret, id: c.id, secrets: []string{c.secret}}
}

// storageAccount is an Azure storage account and one of its two keys.
type storageAccount struct{ name, key string }

func newStorageAccount() storageAccount {
	return storageAccount{"shop" + text(12, lower+digits), storageKey()}
}

// storageKey is the base64 of 64 bytes. Microsoft marks it, so that scanners know it: the
// three bytes from the 57th on are the characters "+ASt".
func storageKey() string {
	b := random(64)
	copy(b[57:], must(base64.StdEncoding.DecodeString("+ASt")))
	return base64.StdEncoding.EncodeToString(b)
}

func (a storageAccount) connectionString() string {
	return "DefaultEndpointsProtocol=https;AccountName=" + a.name + ";AccountKey=" + a.key + ";EndpointSuffix=core.windows.net"
}

func (a storageAccount) found() found {
	return found{cloud: "azure", kind: statickey.AzureStorageKey, id: a.name, secrets: []string{a.key}}
}

// sas is a shared access signature to a container of blobs.
type sas struct{ account, signature, url string }

func newSAS() sas {
	s := sas{account: newStorageAccount().name, signature: mixed64(32)}
	start := time.Now().UTC().Truncate(time.Second)
	query := url.Values{
		"sv": {"2024-11-04"}, "ss": {"b"}, "srt": {"sco"}, "sp": {"rwdlac"}, "spr": {"https"},
		"st": {start.Format(time.RFC3339)}, "se": {start.AddDate(1, 0, 0).Format(time.RFC3339)}, "sig": {s.signature},
	}
	s.url = "https://" + s.account + ".blob.core.windows.net/backups?" + query.Encode()
	return s
}

func (s sas) found() found {
	return found{cloud: "azure", kind: statickey.AzureSAS, id: s.account, secrets: []string{s.signature}}
}
