package testbed

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The identities that the examples ask for, and that the clouds trust.
const (
	Region       = "eu-central-1"
	Bucket       = "orders"
	AWSAccount   = "111122223333"
	AWSRole      = "arn:aws:iam::111122223333:role/orders"
	GCPProvider  = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	GCPAccount   = "orders@example-project.iam.gserviceaccount.com"
	AzureClient  = "11111111-2222-3333-4444-555555555555"
	AzureTenant  = "99999999-8888-7777-6666-555555555555"
	MinIORole    = minioRoleARN
	TokenSource  = "registry" // an OAuth 2.0 server, and the audience that it expects
	OAuthUser    = "orders-robot"
	AzureScope   = "https://management.azure.com/.default"
	cloudsConfig = "clouds" // the ConfigMap that examples/ mount, if it is there
)

// Install installs the chart by Helm, with the settings of an installation whose
// clouds are the testbed's; extra are further --set arguments.
func (b *Bed) Install(ctx context.Context, extra ...string) error {
	return b.InstallChart(ctx, filepath.Join(b.opts.Root, "charts", "podpass"), extra...)
}

// InstallChart is Install of the chart in a directory: that of another release.
func (b *Bed) InstallChart(ctx context.Context, chart string, extra ...string) error {
	return step(b.opts.Log, "Installing the chart with Helm", func() error {
		bundle, err := b.caBundle()
		if err != nil {
			return err
		}
		values := map[string]any{
			"image":    imageValue(webhookImage),
			"broker":   map[string]any{"image": imageValue(brokerImage)},
			"caBundle": bundle,
			"aws":      map[string]any{"region": Region, "stsEndpoints": map[string]string{"aws": b.Clouds.AWS, "minio": b.MinIO.URL}},
			"gcp":      map[string]any{"defaultProvider": GCPProvider, "stsEndpoint": b.Clouds.GCP, "iamCredentialsEndpoint": b.Clouds.GCP},
			"azure":    map[string]any{"authorityHost": b.Clouds.Azure},
			"oidc": map[string]any{"tokenSources": map[string]any{TokenSource: map[string]any{
				"tokenURL": b.Clouds.OAuth + "/token", "audience": TokenSource, "scope": "pull",
			}}},
			"staticKeys": "warn",
		}
		file := filepath.Join(b.opts.Dir, "values.json") // JSON is YAML
		if err := writeJSON(file, values); err != nil {
			return err
		}
		args := append([]string{"upgrade", "--install", "podpass", chart,
			"--namespace", Namespace, "--create-namespace", "--values", file, "--wait", "--timeout", "3m"}, extra...)
		if _, err := b.Helm(ctx, args...); err != nil {
			return err
		}
		if err := b.WaitSettings(ctx); err != nil {
			return err
		}
		return b.WaitInjecting(ctx)
	})
}

// Rollback goes back to a revision of the release.
func (b *Bed) Rollback(ctx context.Context, revision string) error {
	return step(b.opts.Log, "Rolling back by Helm", func() error {
		return run(ctx, b.opts.Root, b.opts.Log, []string{"KUBECONFIG=" + b.Kubeconfig}, b.bin.helm,
			"rollback", "podpass", revision, "--namespace", Namespace, "--wait", "--timeout", "3m")
	})
}

// settings are those of the current ConfigMap; the last release had one of a fixed name.
func (b *Bed) settings(ctx context.Context) (string, error) {
	name, err := b.Kubectl(ctx, "get", "configmap", "-l", "podpass.io/settings=current", "-n", Namespace, "-o", "name")
	if err != nil {
		return "", err
	}
	return b.Kubectl(ctx, "get", cmp.Or(strings.TrimSpace(name), "configmap/podpass-webhook"), "-n", Namespace, "-o", `jsonpath={.data.config\.yaml}`)
}

// WaitSettings waits until the replicas that end have gone, and each of the others has the
// current settings of the ConfigMap. kubelet takes a minute to write them, or looks at once at
// a pod that changes.
func (b *Bed) WaitSettings(ctx context.Context) error {
	config, err := b.settings(ctx)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("podpass_webhook_settings_timestamp_seconds{checksum=\"%x", sha256.Sum256([]byte(config)))[:len("podpass_webhook_settings_timestamp_seconds{checksum=\"")+16]
	// One that is asked for its metrics when it has gone is waited for half a minute.
	if err := poll(ctx, 2*time.Minute, func() error {
		ending, err := b.Kubectl(ctx, "get", "pods", "-l", replicas, "-n", Namespace, "-o", "jsonpath={.items[?(@.metadata.deletionTimestamp)].metadata.name}")
		if err == nil && ending != "" {
			err = fmt.Errorf("%s: still ending", ending)
		}
		return err
	}); err != nil {
		return err
	}
	if _, err := b.Kubectl(ctx, "annotate", "pods", "-l", replicas, "-n", Namespace, "--overwrite", "podpass.io/looked-at="+time.Now().Format("150405")); err != nil {
		return err
	}
	return poll(ctx, 2*time.Minute, func() error {
		pods, err := b.Kubectl(ctx, "get", "pods", "-l", replicas, "-n", Namespace, "--field-selector", "status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}")
		if err != nil {
			return err
		}
		for _, pod := range strings.Fields(pods) {
			metrics, err := b.Kubectl(ctx, "get", "--raw", "/api/v1/namespaces/"+Namespace+"/pods/"+pod+":8080/proxy/metrics")
			if err != nil {
				return err
			}
			if !strings.Contains(metrics, want) {
				return fmt.Errorf("%s has not read its settings again", pod)
			}
		}
		return nil
	})
}

// replicas selects the webhook's.
const replicas = "app.kubernetes.io/name=podpass,app.kubernetes.io/component=webhook"

// WaitInjecting waits until the API server reaches the webhook: it learns of ready
// endpoints, and of the CA, a moment after Helm says that all is ready. A dry run
// by a pod that opted in fails until then; pods that did not opt in would be
// admitted as they are.
func (b *Bed) WaitInjecting(ctx context.Context) error {
	const namespace = "default"
	if err := b.Apply(ctx, namespace, fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: probe, annotations: {podpass.io/aws-role-arn: %q}}}", AWSRole)); err != nil {
		return err
	}
	return poll(ctx, 30*time.Second, func() error {
		return b.Apply(ctx, namespace, `{apiVersion: v1, kind: Pod, metadata: {name: probe, labels: {podpass.io/inject: "true"}},
spec: {serviceAccountName: probe, containers: [{name: probe, image: podpass.io/pause:dev}]}}`, "--dry-run=server")
	})
}

func imageValue(name string) map[string]any {
	repository, tag, _ := strings.Cut(name, ":")
	return map[string]any{"repository": repository, "tag": tag, "pullPolicy": "Never"}
}

// caBundle is the PEM of the CAs of the clouds and of MinIO.
func (b *Bed) caBundle() (string, error) {
	var bundle strings.Builder
	for _, f := range []string{b.Clouds.CAFile, b.MinIO.CAFile} {
		pem, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		bundle.Write(pem)
		bundle.WriteByte('\n')
	}
	return bundle.String(), nil
}

// CreateNamespace makes a namespace that enforces Pod Security "restricted", has
// a ResourceQuota that demands limits, and holds the ConfigMap that tells the
// example programs where the demo's clouds are.
func (b *Bed) CreateNamespace(ctx context.Context, name string) error {
	bundle, err := b.caBundle()
	if err != nil {
		return err
	}
	var indented strings.Builder
	for line := range strings.Lines(bundle) {
		indented.WriteString("    " + line)
	}
	return b.Apply(ctx, "", fmt.Sprintf(namespaceManifest, name, cloudsConfig, b.Clouds.AWS, b.MinIO.URL,
		b.Clouds.GCP+"/oauth2/v3/tokeninfo", indented.String(), b.Clouds.OAuth+"/userinfo"))
}

const namespaceManifest = `
apiVersion: v1
kind: Namespace
metadata:
  name: %[1]s
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: limits
  namespace: %[1]s
spec:
  hard:
    limits.cpu: "100"
    limits.memory: 40Gi
    requests.cpu: "10"
    requests.memory: 20Gi
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: %[2]s
  namespace: %[1]s
data:
  AWS_ENDPOINT_URL_STS: %[3]s
  AWS_ENDPOINT_URL_S3: %[4]s
  SDK_GCP_TOKENINFO: %[5]s
  SDK_OAUTH_USERINFO: %[7]s
  SDK_AUDIENCE: https://orders.example.com
  SDK_AZURE_PRIVATE_AUTHORITY: "1"
  SSL_CERT_FILE: /etc/clouds/ca.crt
  NODE_EXTRA_CA_CERTS: /etc/clouds/ca.crt
  ca.crt: |
%[6]s
`

// Apply applies manifests in a namespace ("" if they name their own).
func (b *Bed) Apply(ctx context.Context, namespace, manifests string, extra ...string) error {
	file, err := os.CreateTemp(b.opts.Dir, "apply-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(manifests); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	args := append([]string{"apply", "-f", file.Name()}, extra...)
	if namespace != "" {
		args = append(args, "--namespace", namespace)
	}
	_, err = b.Kubectl(ctx, args...)
	return err
}
