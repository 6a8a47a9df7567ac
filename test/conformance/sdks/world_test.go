package sdks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const awsSession, idTokenAudience = "orders-session", "https://orders.example.com"

var clouds = []string{"aws", "gcp", "azure"}

// identityShown is a part of what each check must print as identity.
var identityShown = map[string]string{
	"aws":         "arn:aws:sts::111122223333:assumed-role/orders/",
	"gcp":         orders.GCPAccount,
	"gcp-idtoken": orders.GCPAccount,
	"azure":       "appid=" + orders.AzureClient + " tid=" + orders.AzureTenant,
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
	config := orders.Trust(w.issuer)
	if s.trust != nil {
		s.trust(&config)
	}
	w.clouds = cloud.Start(t, config)
	for _, f := range s.faults {
		w.clouds.Faults.Set(f)
	}
	orders.WriteTokens(t, w.issuer, w.dir, s.token)
	return w
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
		"type": "external_account", "audience": orders.Audiences["gcp"],
		"subject_token_type":                "urn:ietf:params:oauth:token-type:jwt",
		"token_url":                         w.clouds.GCP + "/v1/token",
		"service_account_impersonation_url": w.clouds.GCP + "/v1/projects/-/serviceAccounts/" + orders.GCPAccount + ":generateAccessToken",
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
		"AWS_ROLE_ARN="+orders.AWSRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(w.dir, "aws"), "AWS_ROLE_SESSION_NAME="+awsSession,
		// Without a project, the JavaScript SDK asks a resource manager for one.
		"GOOGLE_APPLICATION_CREDENTIALS="+file, "GOOGLE_CLOUD_PROJECT="+orders.GCPProject, "CLOUDSDK_CORE_PROJECT="+orders.GCPProject,
		"AZURE_CLIENT_ID="+orders.AzureClient, "AZURE_TENANT_ID="+orders.AzureTenant, "AZURE_AUTHORITY_HOST="+w.clouds.Azure,
		"AZURE_FEDERATED_TOKEN_FILE="+filepath.Join(w.dir, "azure"), "SDK_AZURE_PRIVATE_AUTHORITY=1",
	)
}

// secretFree fails the test if text, called name, holds a subject token or looks as
// if it held what the clouds issue.
func (w *world) secretFree(t *testing.T, name, text string) {
	t.Helper()
	for token := range orders.Audiences {
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
