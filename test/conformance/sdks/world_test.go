package sdks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// The ServiceAccount shop/orders, and what each cloud calls it.
const (
	subject = "system:serviceaccount:shop:orders"

	awsRole    = "arn:aws:iam::111122223333:role/orders"
	awsSession = "orders-session"

	gcpProvider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/test"
	gcpMember   = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/" + subject
	gcpEmail    = "orders@demo-project.iam.gserviceaccount.com"

	azureTenant = "7f3c2b1a-1111-4222-8333-944444444444"
	azureClient = "0a1b2c3d-5555-4666-8777-988888888888"

	idTokenAudience = "https://orders.example.com"
)

var clouds = []string{"aws", "gcp", "azure"}

// audiences of the three subject tokens.
var audiences = map[string]string{
	"aws": aws.DefaultAudience, "gcp": "//iam.googleapis.com/" + gcpProvider, "azure": azure.DefaultAudience,
}

// identityShown is a part of what each check must print as identity.
var identityShown = map[string]string{
	"aws":         "arn:aws:sts::111122223333:assumed-role/orders/",
	"gcp":         gcpEmail,
	"gcp-idtoken": gcpEmail,
	"azure":       "appid=" + azureClient + " tid=" + azureTenant,
}

// scenario is what is wrong in a world; the zero scenario is a world in which all
// is well.
type scenario struct {
	token  func(*issuer.Claims) // changes each subject token
	trust  func(*trust.Config)  // changes what the clouds trust
	faults []fault.Fault
}

// world is a cluster's issuer, its tokens of one ServiceAccount, and the clouds.
type world struct {
	clouds *cloud.Clouds
	issuer *issuer.Issuer
	dir    string // subject tokens: aws, gcp, azure; and the SDKs' home
}

func newWorld(t *testing.T, s scenario) *world {
	t.Helper()
	w := &world{issuer: issuer.Start(t), dir: t.TempDir()}
	config := w.trust()
	if s.trust != nil {
		s.trust(&config)
	}
	w.clouds = cloud.Start(t, config)
	for _, f := range s.faults {
		w.clouds.Faults.Set(f)
	}
	for name, audience := range audiences {
		claims := issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-0", Audience: audience}
		if s.token != nil {
			s.token(&claims)
		}
		w.issuer.Write(t, filepath.Join(w.dir, name), claims)
	}
	return w
}

func (w *world) trust() trust.Config {
	return trust.Config{
		Issuers: []trust.Issuer{w.issuer.Trust()},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: "111122223333", Issuer: w.issuer.URL, Audiences: []string{audiences["aws"]}}},
			Roles:     []trust.AWSRole{{ARN: awsRole, Issuer: w.issuer.URL, Audiences: []string{audiences["aws"]}, Subjects: []string{subject}}},
		},
		GCP: trust.GCP{
			Providers:       []trust.GCPProvider{{Name: gcpProvider, Issuer: w.issuer.URL}},
			ServiceAccounts: []trust.GCPServiceAccount{{Email: gcpEmail, Members: []string{gcpMember}}},
		},
		Azure: trust.Azure{Tenants: []trust.Tenant{{ID: azureTenant, Applications: []trust.Application{{
			ClientID:             azureClient,
			FederatedCredentials: []trust.FederatedCredential{{Issuer: w.issuer.URL, Subject: subject, Audience: audiences["azure"]}},
		}}}}},
	}
}

// identities are those of shop/orders, as the webhook would hand them to the broker.
func identities() serviceaccount.Identities {
	return serviceaccount.Identities{
		AWS:   &aws.Identity{RoleARN: awsRole, Audience: audiences["aws"], Region: "eu-central-1"},
		GCP:   &gcp.Identity{Provider: audiences["gcp"], Audience: audiences["gcp"], ServiceAccount: gcpEmail, Project: "demo-project"},
		Azure: &azure.Identity{ClientID: azureClient, TenantID: azureTenant, Audience: audiences["azure"]},
	}
}

// commonEnv is what the client programs need in both modes: where the clouds are
// that they ask who they are.
func (w *world) commonEnv() []string {
	return []string{
		"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"),
		"SSL_CERT_FILE=" + w.clouds.CAFile, "NODE_EXTRA_CA_CERTS=" + w.clouds.CAFile,
		"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_STS=" + w.clouds.AWS,
		"SDK_GCP_TOKENINFO=" + w.clouds.GCP + "/oauth2/v3/tokeninfo",
		"SDK_AUDIENCE=" + idTokenAudience,
	}
}

// directEnv is what direct mode sets, and Google's external_account file, written
// here by hand: the SDKs are to judge the stand-ins, not podpass's own file.
func (w *world) directEnv(t *testing.T) []string {
	t.Helper()
	external, err := json.Marshal(map[string]any{
		"type": "external_account", "audience": audiences["gcp"],
		"subject_token_type":                "urn:ietf:params:oauth:token-type:jwt",
		"token_url":                         w.clouds.GCP + "/v1/token",
		"service_account_impersonation_url": w.clouds.GCP + "/v1/projects/-/serviceAccounts/" + gcpEmail + ":generateAccessToken",
		"credential_source":                 map[string]any{"file": filepath.Join(w.dir, "gcp"), "format": map[string]string{"type": "text"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "external_account.json")
	if err := os.WriteFile(file, external, 0o600); err != nil {
		t.Fatal(err)
	}
	return append(w.commonEnv(),
		"AWS_ROLE_ARN="+awsRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(w.dir, "aws"), "AWS_ROLE_SESSION_NAME="+awsSession,
		// Without a project, the JavaScript SDK asks a resource manager for one.
		"GOOGLE_APPLICATION_CREDENTIALS="+file, "GOOGLE_CLOUD_PROJECT=demo-project", "CLOUDSDK_CORE_PROJECT=demo-project",
		"AZURE_CLIENT_ID="+azureClient, "AZURE_TENANT_ID="+azureTenant, "AZURE_AUTHORITY_HOST="+w.clouds.Azure,
		"AZURE_FEDERATED_TOKEN_FILE="+filepath.Join(w.dir, "azure"), "SDK_AZURE_PRIVATE_AUTHORITY=1",
	)
}

// secretFree fails the test if text, called name, holds a subject token or looks as
// if it held what the clouds issue.
func (w *world) secretFree(t *testing.T, name, text string) {
	t.Helper()
	for token := range audiences {
		raw, err := os.ReadFile(filepath.Join(w.dir, token))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(raw), ".")
		if strings.Contains(text, parts[1]) || strings.Contains(text, parts[2]) {
			t.Errorf("%s holds the subject token for %s", name, token)
		}
	}
	// The stand-ins' access tokens and session tokens begin so, and JWTs, too.
	for _, prefix := range []string{"ya29.", "FwoGZXIvYXdz", "eyJ"} {
		if strings.Contains(text, prefix) {
			t.Errorf("%s holds a token that begins with %s", name, prefix)
		}
	}
}
