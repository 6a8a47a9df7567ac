package pods

import (
	"encoding/json"
	"slices"
	"testing"
)

// peer stands in for another webhook: it adds to each container what that webhook adds,
// in its own way, to the pod as it is. What it adds is written down from what the real
// one was seen to add.
type peer struct {
	variables []variable
	volume    map[string]any
	mount     map[string]any
}

type variable struct{ name, value string }

func projected(name, audience, path string) map[string]any {
	return map[string]any{"name": name, "projected": map[string]any{"sources": []any{
		map[string]any{"serviceAccountToken": map[string]any{"audience": audience, "expirationSeconds": 86400, "path": path}},
	}}}
}

var (
	eksWebhook = peer{
		variables: []variable{
			{"AWS_STS_REGIONAL_ENDPOINTS", "regional"}, {"AWS_DEFAULT_REGION", "eu-central-1"}, {"AWS_REGION", "eu-central-1"},
			{"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web"},
			{"AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
		},
		volume: projected("aws-iam-token", "sts.amazonaws.com", "token"),
		mount:  map[string]any{"name": "aws-iam-token", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount", "readOnly": true},
	}
	azureWebhook = peer{ // v1.6
		variables: []variable{
			{"AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555"}, {"AZURE_TENANT_ID", "99999999-8888-7777-6666-555555555555"},
			{"AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/wi/token/azure-identity-token"}, {"AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"},
		},
		volume: projected("azure-identity-token", "api://AzureADTokenExchange", "azure-identity-token"),
		mount:  map[string]any{"name": "azure-identity-token", "mountPath": "/var/run/secrets/azure/wi/token", "readOnly": true},
	}
	azureWebhookOld = peer{ // up to v1.5
		variables: []variable{
			{"AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555"}, {"AZURE_TENANT_ID", "99999999-8888-7777-6666-555555555555"},
			{"AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/tokens/azure-identity-token"}, {"AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"},
		},
		volume: projected("azure-identity-token", "api://AzureADTokenExchange", "azure-identity-token"),
		mount:  map[string]any{"name": "azure-identity-token", "mountPath": "/var/run/secrets/azure/tokens", "readOnly": true},
	}
)

// patch gives the pod with what the webhook adds, also to containers that podpass added.
func (p peer) patch(t *testing.T, raw []byte) []byte {
	t.Helper()
	var pod map[string]any
	if err := json.Unmarshal(raw, &pod); err != nil {
		t.Fatal(err)
	}
	spec := pod["spec"].(map[string]any)
	for _, list := range []string{"initContainers", "containers"} {
		containers, _ := spec[list].([]any)
		for _, c := range containers {
			p.add(c.(map[string]any))
		}
	}
	volumes, _ := spec["volumes"].([]any)
	if !named(volumes, p.volume["name"]) {
		spec["volumes"] = append(volumes, p.volume)
	}
	changed, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func (p peer) add(container map[string]any) {
	env, _ := container["env"].([]any)
	for _, v := range p.variables {
		if !named(env, v.name) {
			env = append(env, map[string]any{"name": v.name, "value": v.value})
		}
	}
	container["env"] = env
	mounts, _ := container["volumeMounts"].([]any)
	if !named(mounts, p.mount["name"]) {
		container["volumeMounts"] = append(mounts, p.mount)
	}
}

func named(list []any, name any) bool {
	return slices.ContainsFunc(list, func(e any) bool { return e.(map[string]any)["name"] == name })
}

// TestSideBySide: during a move both webhooks are there. Theirs comes first, by the
// order of the registrations' names, and may be asked again after podpass; whichever
// comes last, a container has one identity, the same files as before the move, and
// what podpass adds is there once.
func TestSideBySide(t *testing.T) {
	token := map[string]string{"/var/run/secrets/eks.amazonaws.com/serviceaccount/token": "sts.amazonaws.com 86400"}
	aws := map[string]string{
		"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
		"AWS_ROLE_ARN":                "arn:aws:iam::123456789012:role/web",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
		"AWS_ROLE_SESSION_NAME":       "shop.web.web",
	}
	azure := func(file string) map[string]string {
		return map[string]string{
			"AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555", "AZURE_TENANT_ID": "99999999-8888-7777-6666-555555555555",
			"AZURE_FEDERATED_TOKEN_FILE": file, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
		}
	}
	azureFiles := func(seconds string) map[string]string {
		return map[string]string{
			"/var/run/secrets/azure/wi/token/azure-identity-token": "api://AzureADTokenExchange " + seconds,
			"/var/run/secrets/azure/tokens/azure-identity-token":   "api://AzureADTokenExchange " + seconds,
		}
	}
	const entra = `{"azure.workload.identity/client-id":"11111111-2222-3333-4444-555555555555"}`
	for name, test := range map[string]struct {
		peer    peer
		values  string
		account string
		// first and last: what the container has where the other comes first, and where it
		// comes after podpass, which is then asked again.
		first, last Container
	}{
		"amazon-eks-pod-identity-webhook": {
			eksWebhook, "amazon-eks-pod-identity-webhook.values.yaml", `{"eks.amazonaws.com/role-arn":"arn:aws:iam::123456789012:role/web"}`,
			Container{Env: aws, Files: token}, Container{Env: aws, Files: token},
		},
		"azure-workload-identity": {
			azureWebhook, "azure-workload-identity.values.yaml", entra,
			Container{Env: azure("/var/run/secrets/azure/wi/token/azure-identity-token"), Files: azureFiles("86400")},
			Container{Env: azure("/var/run/secrets/azure/wi/token/azure-identity-token"), Files: azureFiles("3600")},
		},
		"azure-workload-identity before v1.6": {
			azureWebhookOld, "azure-workload-identity.values.yaml", entra,
			Container{Env: azure("/var/run/secrets/azure/tokens/azure-identity-token"), Files: azureFiles("86400")},
			Container{Env: azure("/var/run/secrets/azure/wi/token/azure-identity-token"), Files: azureFiles("3600")},
		},
	} {
		c := Case{ServiceAccount: ServiceAccount{}, Pod: json.RawMessage(`{"metadata":{"labels":{"azure.workload.identity/use":"true"}},"spec":{"containers":[{"name":"app","image":"example.com/app"}]}}`)}
		if test.peer.volume["name"] == "aws-iam-token" {
			c.Pod = json.RawMessage(`{"metadata":{},"spec":{"containers":[{"name":"app","image":"example.com/app"}]}}`)
		}
		if err := json.Unmarshal([]byte(test.account), &c.ServiceAccount.Annotations); err != nil {
			t.Fatal(err)
		}
		var err error
		if c.Settings, err = settingsOf(test.values); err != nil {
			t.Fatal(err)
		}
		podpass := func(t *testing.T, raw []byte) []byte {
			t.Helper()
			again := c
			again.Pod = raw
			o, err := admitByHandler(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Denied) > 0 || len(o.Warnings) > 0 {
				t.Fatalf("denied %q, warnings %q", o.Denied, o.Warnings)
			}
			return o.After
		}
		for order, run := range map[string]struct {
			steps []func(*testing.T, []byte) []byte
			want  Container
		}{
			"theirs first":               {[]func(*testing.T, []byte) []byte{test.peer.patch, podpass}, test.first},
			"theirs first, and again":    {[]func(*testing.T, []byte) []byte{test.peer.patch, podpass, test.peer.patch, podpass}, test.first},
			"podpass first":              {[]func(*testing.T, []byte) []byte{podpass, test.peer.patch}, test.last},
			"podpass first, and again":   {[]func(*testing.T, []byte) []byte{podpass, test.peer.patch, podpass}, test.last},
			"podpass alone, a day later": {[]func(*testing.T, []byte) []byte{podpass}, test.last},
		} {
			t.Run(name+"/"+order, func(t *testing.T) {
				raw := []byte(c.Pod)
				for _, step := range run.steps {
					raw = step(t, raw)
				}
				for _, err := range run.want.check(Outcome{Before: c.Pod, After: raw}) {
					t.Error(err)
				}
			})
		}
	}
}
