package sdks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/program"
	"github.com/podpass-io/podpass/webhook/inject"
)

// TestToken: `podpass token` makes the broker's exchanges, and AWS SDKs read what it
// prints as a credential_process.
func TestToken(t *testing.T) {
	dir := t.TempDir()
	podpass := filepath.Join(dir, "podpass")
	if err := program.Build(t.Context(), dir, "github.com/podpass-io/podpass/cmd/podpass"); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(clients(t), pythonClients(t)...) {
		check, ok := "aws", true
		if c.checks != nil {
			check, ok = c.checks["aws"]
		}
		if !ok {
			continue
		}
		t.Run("credential_process/"+c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scenario{})
			profile := filepath.Join(w.dir, "config")
			line := strings.Join(append([]string{podpass}, w.tokenArgs(t, "aws")...), " ")
			if err := os.WriteFile(profile, []byte("[profile orders]\nregion = eu-central-1\ncredential_process = "+line+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := c.run(t, check, append(w.commonEnv(), "AWS_CONFIG_FILE="+profile, "AWS_PROFILE=orders", "AWS_SDK_LOAD_CONFIG=1"))
			succeeded(t, w, "aws", c.dated(r))
		})
	}
	for cloud, args := range map[string][]string{"gcp": nil, "gcp ID token": {"--id-token", idTokenAudience}, "azure": {"--resource", "https://vault.azure.net"}, "oidc": nil} {
		t.Run(cloud, func(t *testing.T) {
			w := newWorld(t, scenario{})
			cloud, _, _ := strings.Cut(cloud, " ")
			args := append(w.tokenArgs(t, cloud), args...)
			out, err := exec.CommandContext(t.Context(), podpass, args...).Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderrOf(err))
			}
			var got struct {
				Access    string    `json:"access_token"`
				ID        string    `json:"id_token"`
				ExpiresOn time.Time `json:"expires_on"`
				Principal string    `json:"principal"`
			}
			if err := json.Unmarshal(out, &got); err != nil || got.Access+got.ID == "" || time.Until(got.ExpiresOn) < 4*time.Minute {
				t.Errorf("%v; ends %v", err, got.ExpiresOn)
			}
			if want := map[string]string{"gcp": orders.GCPAccount, "azure": orders.AzureClient, "oidc": "registry"}[cloud]; got.Principal != want {
				t.Errorf("principal %q, want %q", got.Principal, want)
			}
			alone, err := exec.CommandContext(t.Context(), podpass, append(args, "-o", "token")...).Output()
			if err != nil || strings.Count(string(alone), "\n") != 1 || strings.ContainsAny(string(alone), "{ ") {
				t.Errorf("-o token: %v, %d bytes", err, len(alone))
			}
		})
	}
	for _, cloud := range clouds {
		t.Run("refused/"+cloud, func(t *testing.T) {
			refusal := refusals["unknown identity"]
			w := newWorld(t, refusal.scenario)
			_, err := exec.CommandContext(t.Context(), podpass, w.tokenArgs(t, cloud)...).Output()
			text := stderrOf(err)
			w.secretFree(t, "the error", text)
			if !containsAny(text, refusal.causes[cloud]) || !strings.Contains(text, "\nhint: ") {
				t.Errorf("the cause, or the next step, is missing: %v: %s", err, text)
			}
		})
	}
}

func stderrOf(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(e.Stderr)
	}
	return ""
}

// tokenArgs are arguments of podpass for credentials of a cloud, with the world's
// ServiceAccount, subject token and endpoints.
func (w *world) tokenArgs(t *testing.T, cloud string) []string {
	t.Helper()
	ca, err := os.ReadFile(w.clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	settings := inject.Settings{CABundle: string(ca), Broker: inject.BrokerSettings{Image: "example.com/podpass-broker:dev"}}
	settings.AWS = serviceaccount.AWSInstallation{Region: "eu-central-1", STSEndpoints: map[string]string{"aws": w.clouds.AWS}}
	settings.GCP = serviceaccount.GCPInstallation{DefaultProvider: orders.GCPProvider, STSEndpoint: w.clouds.GCP, IAMCredentialsEndpoint: w.clouds.GCP}
	settings.Azure = serviceaccount.AzureInstallation{TenantID: orders.AzureTenant, AuthorityHost: w.clouds.Azure}
	settings.OIDC.TokenSources = map[string]oidc.Source{"registry": {TokenURL: w.clouds.OAuth + "/token", Audience: orders.OAuthAudience}}
	text, err := yaml.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	account := fmt.Sprintf(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: orders, namespace: shop, annotations: {
  eks.amazonaws.com/role-arn: %q, iam.gke.io/gcp-service-account: %q, azure.workload.identity/client-id: %q,
  podpass.io/oidc-token-sources: registry}}}`, orders.AWSRole, orders.GCPAccount, orders.AzureClient)
	files := map[string]string{"settings.yaml": string(text), "sa.yaml": account}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := cloud
	if cloud == "oidc" {
		file = "oidc-registry"
	}
	return []string{"token", cloud, "orders", "-n", "shop", "-f", filepath.Join(w.dir, "sa.yaml"), "--settings", filepath.Join(w.dir, "settings.yaml"), "--token-file", filepath.Join(w.dir, file)}
}
