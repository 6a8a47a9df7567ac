package sdks

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const awsUser = "arn:aws:iam::111122223333:user/orders"

// TestStaticKeys: the SDKs take static keys to the stand-ins as to the clouds, and show
// why one is refused.
func TestStaticKeys(t *testing.T) {
	active := trust.AWSUser{ARN: awsUser, AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text()}
	inactive := trust.AWSUser{ARN: awsUser, AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), Inactive: true}
	secret := trust.ClientSecret{ID: "current", Value: rand.Text()}
	ended := trust.ClientSecret{ID: "ended", Value: rand.Text(), Ends: time.Now().Add(-time.Hour)}
	private, public := googleKey(t)
	unknown, _ := googleKey(t)
	known := scenario{trust: func(c *trust.Config) {
		c.AWS.Users = []trust.AWSUser{active, inactive}
		c.GCP.ServiceAccounts[0].Keys = []trust.GCPKey{{ID: "current", PublicKey: public}}
		c.Azure.Tenants[0].Applications[0].Secrets = []trust.ClientSecret{secret, ended}
	}}
	aws := func(id, secret string) func(*testing.T, *world) []string {
		return func(*testing.T, *world) []string {
			return []string{"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret}
		}
	}
	azure := func(secret string) func(*testing.T, *world) []string {
		return func(_ *testing.T, w *world) []string {
			return []string{
				"AZURE_TENANT_ID=" + orders.AzureTenant, "AZURE_CLIENT_ID=" + orders.AzureClient, "AZURE_CLIENT_SECRET=" + secret,
				"AZURE_AUTHORITY_HOST=" + w.clouds.Azure, "SDK_AZURE_PRIVATE_AUTHORITY=1",
			}
		}
	}
	gcp := func(private string) func(*testing.T, *world) []string {
		return func(t *testing.T, w *world) []string {
			return []string{"GOOGLE_APPLICATION_CREDENTIALS=" + w.keyFile(t, private)}
		}
	}
	for name, test := range map[string]struct {
		cloud    string
		env      func(*testing.T, *world) []string
		identity string // or
		refused  string
		key      string // whose use is counted
	}{
		"aws":                   {"aws", aws(active.AccessKeyID, active.SecretAccessKey), awsUser, "", active.AccessKeyID},
		"aws, another secret":   {"aws", aws(active.AccessKeyID, rand.Text()), "", "SignatureDoesNotMatch", ""},
		"aws, an inactive key":  {"aws", aws(inactive.AccessKeyID, inactive.SecretAccessKey), "", "InvalidClientTokenId", ""},
		"gcp":                   {"gcp", gcp(private), orders.GCPAccount, "", "current"},
		"gcp, an unknown key":   {"gcp", gcp(unknown), "", "invalid_grant", ""},
		"azure":                 {"azure", azure(secret.Value), identityShown["azure"], "", "current"},
		"azure, another secret": {"azure", azure(rand.Text()), "", "AADSTS7000215", ""},
		"azure, one that ended": {"azure", azure(ended.Value), "", "AADSTS7000222", ""},
	} {
		for _, c := range clients(t) {
			if test.cloud == "gcp" && c.name == "js" {
				continue // it takes keys to Google's own address, whatever the file says
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, known)
				r := c.run(t, test.cloud, append(w.commonEnv(), test.env(t, w)...))
				switch {
				case test.refused != "":
					showed(t, w, r, test.refused)
				case r.Identity != test.identity:
					t.Errorf("identity %q, want %q: %s", r.Identity, test.identity, r.Error)
				}
				if uses := w.clouds.KeyUses(); (uses[test.key] > 0) != (test.key != "") || len(uses) > 1 {
					t.Errorf("uses of keys: %v, want those of %q", uses, test.key)
				}
			})
		}
	}
}

// googleKey makes a private key and its public part, in PEM.
func googleKey(t *testing.T) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	open, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))
}

// keyFile writes the file that Google's console gives for a key.
func (w *world) keyFile(t *testing.T, private string) string {
	t.Helper()
	content, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": orders.GCPProject, "private_key_id": "current", "private_key": private,
		"client_email": orders.GCPAccount, "token_uri": w.clouds.GCP + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "key.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
