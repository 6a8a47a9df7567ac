package sdks

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOtherVariables: what SDKs make of the variables that are hints, or keys of one tool
// alone, beside the injected ones: the identity, in all but those that are named.
func TestOtherVariables(t *testing.T) {
	programs, m, bin := slices.Concat(clients(t), debianClients(t)), newMatrix(t), buildBroker(t)
	absent := filepath.Join(t.TempDir(), "absent")
	w := newWorld(t, scenario{})
	b := bin.startReady(t, w)
	for name, test := range map[string]struct {
		cloud string
		env   string
		// without are the clients that have no credentials by it, and no others either.
		without []string
	}{
		"AWS's older session token":      {cloud: "aws", env: "AWS_SECURITY_TOKEN=x"},
		"Bedrock's key":                  {cloud: "aws", env: "AWS_BEARER_TOKEN_BEDROCK=x"},
		"boto's file, absent":            {cloud: "aws", env: "BOTO_CONFIG=" + absent},
		"Java's file, absent":            {cloud: "aws", env: "AWS_CREDENTIAL_PROFILES_FILE=" + absent},
		"EC2's metadata elsewhere":       {cloud: "aws", env: "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1/"},
		"regional STS":                   {cloud: "aws", env: "AWS_STS_REGIONAL_ENDPOINTS=regional"},
		"gcloud's key, absent":           {cloud: "gcp", env: "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=" + absent},
		"gcloud's access token, absent":  {cloud: "gcp", env: "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=" + absent},
		"gcloud's directory, absent":     {cloud: "gcp", env: "CLOUDSDK_CONFIG=" + absent},
		"Terraform's key of Google":      {cloud: "gcp", env: "GOOGLE_CREDENTIALS=x"},
		"another project":                {cloud: "gcp", env: "GCLOUD_PROJECT=x"},
		"a quota project":                {cloud: "gcp", env: "GOOGLE_CLOUD_QUOTA_PROJECT=x"},
		"no check for Google's machines": {cloud: "gcp", env: "NO_GCE_CHECK=true", without: []string{"java"}},
		"no detection":                   {cloud: "gcp", env: "METADATA_SERVER_DETECTION=none", without: []string{"js"}},
		"detection by the machine":       {cloud: "gcp", env: "METADATA_SERVER_DETECTION=bios-only", without: []string{"js"}},
		"a user's name":                  {cloud: "azure", env: "AZURE_USERNAME=x"},
		"Terraform's key of Azure":       {cloud: "azure", env: "ARM_CLIENT_SECRET=x"},
		"a storage account's key":        {cloud: "azure", env: "AZURE_STORAGE_KEY=x"},
		"the older SDK's file, absent":   {cloud: "azure", env: "AZURE_AUTH_LOCATION=" + absent},
		"Velero's file, absent":          {cloud: "azure", env: "AZURE_CREDENTIALS_FILE=" + absent},
		"production's credentials":       {cloud: "azure", env: "AZURE_TOKEN_CREDENTIALS=prod"},
		"another IMDS":                   {cloud: "azure", env: "AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:1"},
	} {
		for _, c := range programs {
			check := c.check(test.cloud)
			if check == "" {
				continue
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				r := c.dated(c.run(t, check, append(b.env(w), test.env)))
				none := slices.Contains(test.without, c.name)
				switch {
				case none && r.OK:
					t.Errorf("got credentials of %s", r.Identity)
				case none:
					m.set(test.cloud+": "+name, c.name, "none")
				case !r.OK || !strings.Contains(r.Identity, identityShown[test.cloud]):
					t.Errorf("want %s: %+v", identityShown[test.cloud], r)
				default:
					m.set(test.cloud+": "+name, c.name, "the identity")
				}
			})
		}
	}
}
