package plan

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust"
)

const (
	azureKey = `
apiVersion: v1
kind: Secret
metadata: {namespace: shop, name: azure}
stringData: {AZURE_CLIENT_SECRET: aaaabbbb, AZURE_CLIENT_ID: 00000000-0000-4000-8000-000000000003, AZURE_TENANT_ID: 00000000-0000-4000-8000-000000000004}
---
`
	registryKey = `
apiVersion: v1
kind: Secret
type: kubernetes.io/dockerconfigjson
metadata: {namespace: shop, name: registry}
stringData: {.dockerconfigjson: '{"auths": {"shop.azurecr.io": {"username": "shop", "password": "ccccdddd"}}}'}
---
`
	orderAccount = `
apiVersion: v1
kind: ServiceAccount
metadata: {namespace: shop, name: shared, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/orders", team: shop}}
---
`
	ordersHead = `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: shop, name: orders}
spec:
  template:
    spec:
`
	readsAzure = `
      containers: [{name: app, image: a, envFrom: [{secretRef: {name: azure}}]}]
`
)

// TestMake: what a step says beside the key that it takes out.
func TestMake(t *testing.T) {
	for name, test := range map[string]struct {
		manifests     string
		options       func(*Options)
		byHand, notes string
		files         []string
		annotations   map[string]string
	}{
		"a key to pull images": {
			manifests: registryKey + ordersHead + `
      imagePullSecrets: [{name: registry}]
      containers: [{name: app, image: a}]
`,
			byHand: "registry shop.azurecr.io/shop: kubelet pulls with it",
		},
		"a key to pull images, and one of the application": {
			manifests: registryKey + azureKey + ordersHead + "      serviceAccountName: orders\n      imagePullSecrets: [{name: registry}]" + readsAzure,
			notes:     "stays: registry shop.azurecr.io/shop", files: []string{"azure.sh", "azure.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
		"a cluster's password, and a key of the application": {
			manifests: azureKey + `
apiVersion: v1
kind: Secret
metadata: {namespace: shop, name: kube}
stringData: {config: "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://kube.example.com'}}]\nusers: [{name: u, user: {username: shop, password: ggggwwww}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"}
---
` + ordersHead + `
      serviceAccountName: orders
      volumes: [{name: kube, secret: {secretName: kube}}]
      containers: [{name: app, image: a, envFrom: [{secretRef: {name: azure}}], volumeMounts: [{name: kube, mountPath: /kube}]}]
`,
			notes: "stays: kubernetes-password", files: []string{"azure.sh", "azure.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
		"an identity in another cloud that is kept": {
			manifests:   orderAccount + azureKey + ordersHead + "      serviceAccountName: shared" + readsAzure,
			files:       []string{"azure.sh", "azure.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
		"an identity in another cloud that goes with a new ServiceAccount": {
			manifests: orderAccount + azureKey + ordersHead + "      serviceAccountName: shared" + readsAzure + "---" + strings.ReplaceAll(ordersHead, "orders", "web") + `
      serviceAccountName: shared
      containers: [{name: app, image: a, env: [{name: AZURE_CLIENT_SECRET, value: eeeeffff}]}]
`,
			notes: "ServiceAccount orders keeps the identity in AWS that shared has: have it trusted as well, by what podpass trust aws prints", files: []string{"azure.sh", "azure.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/orders",
				"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
		"an identity that it has": {
			manifests: azureKey + `
apiVersion: v1
kind: ServiceAccount
metadata: {namespace: shop, name: default, annotations: {azure.workload.identity/client-id: 00000000-0000-4000-8000-000000000005, azure.workload.identity/tenant-id: 00000000-0000-4000-8000-000000000006}}
---
` + ordersHead + readsAzure,
			annotations: map[string]string{},
		},
		"an issuer that no cloud can reach": {
			manifests: azureKey + ordersHead + "      serviceAccountName: orders" + readsAzure,
			options:   func(o *Options) { o.Issuers = []trust.Cluster{{Issuer: "https://kubernetes.default.svc"}} },
			byHand:    "WI263: ", files: []string{"serviceaccount.yaml"},
			annotations: map[string]string{"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
		"no provider for Google": {
			manifests: ordersHead + `
      serviceAccountName: orders
      containers: [{name: app, image: a, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /g}], volumeMounts: [{name: g, mountPath: /g, subPath: key}]}]
      volumes: [{name: g, secret: {secretName: google, items: [{key: key, path: key}]}}]
`,
			options: func(o *Options) { o.Installation.GCP.DefaultProvider, o.Defaults = "", true },
			byHand:  "or give the installation's settings with --settings", files: []string{"serviceaccount.yaml"},
			annotations: map[string]string{"iam.gke.io/gcp-service-account": "apps@example-project.iam.gserviceaccount.com"},
		},
		"a volume of secrets-store": {
			manifests: ordersHead + `
      serviceAccountName: orders
      containers: [{name: app, image: a, env: [{name: AWS_SHARED_CREDENTIALS_FILE, value: /keys/aws}], volumeMounts: [{name: keys, mountPath: /keys}]}]
      volumes: [{name: keys, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: vault}}}]
`,
			options: func(o *Options) { o.RoleARN = "arn:aws:iam::111122223333:role/NAMESPACE" },
			notes:   "the volume of SecretProviderClass vault goes as a whole", files: []string{"aws.sh", "aws.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shop"},
		},
		"pods without a template of their own": {
			manifests: azureKey + `
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: orders-0, ownerReferences: [{apiVersion: example.com/v1, kind: Machine, name: orders, uid: u, controller: true}]}
spec:
  serviceAccountName: orders
  containers: [{name: app, image: a, envFrom: [{secretRef: {name: azure}}]}]
`,
			byHand: "Machine shop/orders makes pods without a pod template of its own", files: []string{"azure.sh", "azure.tf", "serviceaccount.yaml"},
			annotations: map[string]string{"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000003", "azure.workload.identity/tenant-id": "00000000-0000-4000-8000-000000000004"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			if test.options != nil {
				test.options(&o)
			}
			f := made(t, []byte(test.manifests), o)
			i := slices.IndexFunc(f.Plan.Steps, func(s Step) bool { return s.Workload.Name == "orders" })
			if i < 0 {
				t.Fatalf("no step among %v", f.Plan.Steps)
			}
			s := f.Plan.Steps[i]
			if text := strings.Join(s.ByHand, "; "); test.byHand == "" && text != "" || !strings.Contains(text, test.byHand) {
				t.Errorf("by hand: %q, want %q", text, test.byHand)
			}
			for _, r := range s.Removals {
				if strings.HasPrefix(test.notes, "stays: ") && len(r.Files) > 0 {
					t.Errorf("what stays goes: %+v", r.Files)
				}
			}
			if text := strings.Join(s.Notes, "; "); !strings.Contains(text, test.notes) {
				t.Errorf("notes: %q, want %q", text, test.notes)
			}
			want := test.annotations
			if want == nil {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, s.ServiceAccount.Annotations); diff != "" {
				t.Error(diff)
			}
			var files []string
			for name := range f.Files {
				dir, file := path.Split(name)
				if dir == s.Name+"/" && (strings.HasSuffix(file, ".sh") || strings.HasSuffix(file, ".tf") || strings.HasSuffix(file, ".yaml") && file != fileKustomize) {
					files = append(files, file)
				}
			}
			slices.Sort(files)
			if diff := cmp.Diff(test.files, files); diff != "" {
				t.Error(diff)
			}
		})
	}
}
