package inject

import (
	"encoding/json"
	"strconv"

	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

type object = map[string]any

// generator makes pods as the API server would send them, with whatever bears on
// the planner: present, absent, empty, in conflict with it.
type generator struct {
	*rapid.T
	unknown bool // fields that Kubernetes does not have, at every level
}

func (g generator) chance(label string, oneIn int) bool {
	return rapid.IntRange(1, oneIn).Draw(g.T, label) == 1
}

func (g generator) oneOf(label string, values ...string) string {
	return rapid.SampledFrom(values).Draw(g.T, label)
}

// strange adds fields from the future.
func (g generator) strange(o object) object {
	if g.unknown && g.chance("unknown field", 2) {
		o["futureField"] = object{"a/b~c": []any{json.Number("9007199254740993"), nil, "x"}, "Name": "not a name"}
		o["name2"] = json.Number("1.50")
	}
	return o
}

func (g generator) pod() []byte {
	meta := object{"generateName": "web-", "namespace": "shop"}
	if g.chance("labels", 2) {
		meta["labels"] = object{"app.kubernetes.io/name": "web"}
	}
	if g.chance("annotations", 2) {
		meta["annotations"] = object{"example.com/~x": "{\"a\":1}"}
	}
	spec := object{"serviceAccountName": "web"}
	if g.chance("pod security", 2) {
		spec["securityContext"] = g.strange(object{"runAsNonRoot": true, "seccompProfile": object{"type": "RuntimeDefault"}})
	}
	if g.chance("root", 6) {
		spec["securityContext"] = object{"runAsUser": json.Number("0")}
	}
	if g.chance("host network", 8) {
		spec["hostNetwork"] = true
	}
	if g.chance("init containers", 2) {
		spec["initContainers"] = g.containers("init", 0, 3)
	}
	spec["containers"] = g.containers("app", 1, 3)
	if g.chance("volumes", 2) {
		volumes := []any{}
		for i := range rapid.IntRange(0, 3).Draw(g.T, "number of volumes") {
			volumes = append(volumes, g.strange(object{"name": "v" + strconv.Itoa(i), "emptyDir": object{"sizeLimit": "1Gi"}}))
		}
		spec["volumes"] = volumes
	}
	b, err := json.Marshal(g.strange(object{"kind": "Pod", "apiVersion": "v1", "metadata": g.strange(meta), "spec": g.strange(spec)}))
	if err != nil {
		g.Fatal(err)
	}
	return b
}

func (g generator) containers(kind string, from, to int) []any {
	list := []any{}
	for i := range rapid.IntRange(from, to).Draw(g.T, kind+" containers") {
		c := object{"name": kind + strconv.Itoa(i), "image": "example.com/app:1"}
		if kind == "init" && g.chance("native sidecar", 2) {
			c["restartPolicy"] = "Always"
		}
		if g.chance("env", 2) {
			c["env"] = g.env()
		}
		if g.chance("envFrom", 4) {
			c["envFrom"] = []any{object{"secretRef": object{"name": g.oneOf("secret", "aws-keys", "database")}}}
		}
		if g.chance("mounts", 2) {
			mounts := []any{}
			if g.chance("mount", 2) {
				mounts = append(mounts, g.strange(object{"name": "v0", "mountPath": g.oneOf("mount path", "/data", awsTokenDir+"/", azureTokenDir, azureTokenDirOld, gcloudDir, oidcDir, kubeDir, kubeconfigDir+"/")}))
			}
			c["volumeMounts"] = mounts
		}
		if g.chance("resources", 2) {
			c["resources"] = object{"limits": object{"cpu": "1", "memory": "1Gi"}}
		}
		if g.chance("restricted", 2) {
			c["securityContext"] = g.strange(object{
				"allowPrivilegeEscalation": false, "capabilities": object{"drop": []any{"ALL"}}, "runAsNonRoot": true,
				"runAsUser": json.Number("1000"), "seccompProfile": object{"type": "RuntimeDefault"},
			})
		}
		if g.chance("privileged", 8) {
			c["securityContext"] = object{"privileged": true}
		}
		if g.chance("ports", 4) {
			c["ports"] = []any{object{"containerPort": json.Number(g.oneOf("port", "8080", "9911")), "protocol": "TCP"}}
		}
		list = append(list, g.strange(c))
	}
	return list
}

func (g generator) env() []any {
	names := []string{
		"PATH", "AWS_REGION", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "HTTP_PROXY", "https_proxy",
		"NO_PROXY", "no_proxy", "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
		"AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "CLOUDSDK_CONFIG", "KUBECONFIG",
	}
	list := []any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(g.T, "variables") {
		e := object{"name": name}
		switch g.oneOf("value", "literal", "empty", "none", "secret", "covered", "place") {
		case "literal":
			e["value"] = "$(PATH) x"
		case "empty":
			e["value"] = ""
		case "secret":
			e["valueFrom"] = object{"secretKeyRef": object{"name": "s", "key": "k"}}
		case "covered":
			e["value"] = "10.0.0.0/8, 127.0.0.1"
		case "place":
			e["value"] = g.oneOf("place", awsTokenDir+"/mine", awsTokenDir+"/mine/token", "/var/run/secrets/eks.amazonaws.com/token", "/run/secrets/azure/token",
				"/var/run/secrets/mine/token", "/run/secrets/mine/token", "/var/run/secrets/kubernetes.io/token", "/data/token", "/data/token:"+kubeconfigFile)
		}
		list = append(list, g.strange(e))
	}
	return list
}

func (g generator) answer() serviceaccount.Answer {
	grant := func() serviceaccount.Grant {
		return serviceaccount.Grant{Mode: serviceaccount.Mode(g.oneOf("mode", "broker", "direct")), TokenExpiration: 3600, Source: "test"}
	}
	var a serviceaccount.Answer
	if g.chance("aws", 2) {
		a.AWS = &serviceaccount.AWS{Grant: grant(), Identity: aws.Identity{
			RoleARN: "arn:aws:iam::123456789012:role/web", Audience: "sts.amazonaws.com", Region: g.oneOf("region", "", "eu-west-1")}}
	}
	if g.chance("gcp", 2) {
		a.GCP = &serviceaccount.GCP{Grant: grant(), Identity: gcp.Identity{
			Provider: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
			Audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q", Project: g.oneOf("project", "", "shop-prod")},
			Gcloud: g.chance("gcloud", 2)}
	}
	if g.chance("azure", 2) {
		a.Azure = &serviceaccount.Azure{Grant: grant(), Identity: azure.Identity{
			ClientID: g.oneOf("client", "", "11111111-1111-1111-1111-111111111111"), TenantID: "22222222-2222-2222-2222-222222222222", Audience: "api://AzureADTokenExchange"}}
	}
	if g.chance("oidc", 3) {
		a.OIDC = &serviceaccount.OIDC{Grant: grant(), Audiences: []oidc.Audience{{Name: "vault", Audience: "vault"}}}
		if a.OIDC.Mode == serviceaccount.ModeBroker && g.chance("token source", 2) {
			a.OIDC.Sources = []oidc.Source{{Name: "registry", TokenURL: "https://registry.example.com/token", Audience: "registry"}}
		}
	}
	if g.chance("kube", 3) {
		a.Kube = &serviceaccount.Kube{Grant: grant(), Clusters: []kube.Cluster{{Name: "prod-us", Server: "https://us.example.com:6443", CABundle: "PEM", Audience: "prod-us"}}}
		if g.chance("own cluster", 2) {
			a.Kube.Clusters = append(a.Kube.Clusters, kube.Cluster{Name: kube.InCluster})
		}
	}
	a.StaticKeys = serviceaccount.StaticKeys(g.oneOf("static keys", "warn", "override", "deny", ""))
	if g.chance("skip", 3) {
		a.SkipContainers = []string{g.oneOf("skipped", "app0", "init0", "nobody")}
	}
	return a
}
