package e2e

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/testbed"
)

// register tells the cloud of the key.
func (m *migrant) register(t *testing.T, config *trust.Config) {
	t.Helper()
	switch m.Cloud {
	case "aws":
		user := "arn:aws:iam::" + testbed.AWSAccount + ":user/" + m.Name
		config.AWS.Users = append(config.AWS.Users, trust.AWSUser{ARN: user, AccessKeyID: m.ID, SecretAccessKey: m.Secrets[0]})
		m.keyID, m.identity = m.ID, user
		if m.Name == "ini-profiles" { // it assumes a role with its key
			config.AWS.Roles[0].AssumedBy = append(config.AWS.Roles[0].AssumedBy, user)
			m.identity = "assumed-role/orders/"
		}
	case "gcp":
		if !m.asks() {
			return // of no service account
		}
		key := m.googleKey(t)
		config.GCP.ServiceAccounts = append(config.GCP.ServiceAccounts, trust.GCPServiceAccount{Email: m.ID, Keys: []trust.GCPKey{key}})
		m.keyID, m.identity = key.ID, m.ID
	case "azure":
		tenant := m.tenant(t)
		if tenant == "" {
			return // of a storage account
		}
		app := trust.Application{ClientID: m.ID}
		if m.asks() {
			app.Secrets = []trust.ClientSecret{{ID: m.Name, Value: m.Secrets[0]}}
		}
		config.Azure.Tenants = append(config.Azure.Tenants, trust.Tenant{ID: tenant, Applications: []trust.Application{app}})
		m.keyID, m.identity = m.Name, "appid="+m.ID
	}
}

// tenant is that of Azure which a variable or the case's Secret names.
func (m *migrant) tenant(t *testing.T) string {
	t.Helper()
	for _, c := range m.podSpec()["containers"].([]any) {
		variables, _ := c.(map[string]any)["env"].([]any)
		for _, v := range variables {
			if v := v.(map[string]any); v["name"] == "AZURE_TENANT_ID" {
				return v["value"].(string)
			}
		}
	}
	if data := m.secret(); data["ARM_TENANT_ID"] != nil {
		return string(decoded(t, data["ARM_TENANT_ID"].(string)))
	}
	return ""
}

// secret is the data of the case's Secret; nil: it has none.
func (m *migrant) secret() map[string]any {
	for _, o := range m.Objects {
		if data, ok := o.Object["data"].(map[string]any); ok && o.GetKind() == "Secret" {
			return data
		}
	}
	return nil
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// googleKey is what Google keeps of the key in the case's Secret, the file of which it
// makes name the stand-in's address.
func (m *migrant) googleKey(t *testing.T) trust.GCPKey {
	t.Helper()
	data := m.secret()
	content := decoded(t, data[m.Key].(string))
	twice := !strings.HasPrefix(string(content), "{") // it is base64 within the Secret, too
	if twice {
		content = decoded(t, string(content))
	}
	var file map[string]string
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(file["private_key"]))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.(*rsa.PrivateKey).Public())
	if err != nil {
		t.Fatal(err)
	}
	file["token_uri"] = bed.Clouds.GCP + "/token"
	if content, err = json.MarshalIndent(file, "", "  "); err != nil {
		t.Fatal(err)
	}
	if twice {
		m.Secrets = append(m.Secrets, base64.StdEncoding.EncodeToString(content))
		content = []byte(m.Secrets[len(m.Secrets)-1])
	}
	data[m.Key] = base64.StdEncoding.EncodeToString(content)
	return trust.GCPKey{ID: file["private_key_id"], PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
}

// trustPlan is trust in the keys and in what a plan asks the clouds for, but for one step.
func trustPlan(t *testing.T, keys trust.Config, steps map[string]step, except string) trust.Config {
	t.Helper()
	var config trust.Config
	if text, err := json.Marshal(keys); err != nil || json.Unmarshal(text, &config) != nil {
		t.Fatal("copy the trust configuration")
	}
	for name, s := range steps {
		if name == except {
			continue
		}
		subject := "system:serviceaccount:" + migrated + ":" + s.ServiceAccount.Name
		asks := s.ServiceAccount.Annotations
		if arn := asks[serviceaccount.KeyEKSRoleARN]; arn != "" {
			config.AWS.Roles = append(config.AWS.Roles, trust.AWSRole{ARN: arn, Issuer: bed.Issuer, Audiences: []string{"sts.amazonaws.com"}, Subjects: []string{subject}})
		}
		if i := slices.IndexFunc(config.GCP.ServiceAccounts, func(a trust.GCPServiceAccount) bool { return a.Email == asks[serviceaccount.KeyGKEServiceAccount] }); i >= 0 {
			a := &config.GCP.ServiceAccounts[i]
			a.Members = append(a.Members, gcp.Principal("//iam.googleapis.com/"+testbed.GCPProvider, subject))
		}
		if i := slices.IndexFunc(config.Azure.Tenants, func(of trust.Tenant) bool { return of.ID == asks[serviceaccount.KeyAzureWITenantID] }); i >= 0 {
			app := &config.Azure.Tenants[i].Applications[0]
			app.FederatedCredentials = append(app.FederatedCredentials, trust.FederatedCredential{Issuer: bed.Issuer, Subject: subject, Audience: azure.DefaultAudience})
		}
	}
	return config
}
