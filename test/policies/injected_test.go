package policies

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/program"
)

// exampleValues enforce every policy, with rules that allow what examples/ asks for and no
// more.
const exampleValues = `
broker: {image: {repository: podpass-broker, tag: test}}
aws: {region: eu-central-1, stsEndpoints: {minio: "https://minio.example.com"}}
oidc: {tokenSources: {registry: {tokenURL: "https://login.example.com/token", audience: registry}}}
kube: {clusters: {prod-us: {server: "https://prod-us.example.com", audience: "https://prod-us.example.com"}}}
policies:
  identities:
    mode: enforce
    rules:
      - name: examples
        namespaces: [examples]
        kube: {clusters: [prod-us]}
        aws: {roles: ["arn:aws:iam::111122223333:role/orders", "arn:minio:iam:::role/*"]}
        gcp:
          serviceAccounts: [orders@example-project.iam.gserviceaccount.com]
          providers: [projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo]
        azure: {clientIDs: [11111111-2222-3333-4444-555555555555]}
        oidc: {audiences: ["https://vault.example.com"], tokenSources: [registry]}
  injected: {mode: enforce}
  registrations: {mode: enforce}
  staticKeys: {mode: enforce}
  audiences:
    mode: enforce
    rules:
      - name: examples
        namespaces: [examples]
        audiences: [sts.amazonaws.com, "//iam.googleapis.com/projects/*/locations/*/workloadIdentityPools/*/providers/*", "api://*", "https://vault.example.com", registry, "https://prod-us.example.com"]
`

// TestClusterInjectedPods: what podpass makes of pods passes every policy, with rules as tight
// as they can be: the examples, which have each cloud and mode, opted in by label as well.
// The webhook runs outside of the cluster, with the settings that the chart renders. Beside
// it the webhook's own pods pass.
func TestClusterInjectedPods(t *testing.T) {
	s := start(t)
	s.apply(t, marked("examples", map[string]string{"podpass.io/static-keys": "denied"})+"\n---\n"+marked("podpass", map[string]string{}))
	chart, refused := render(t, exampleValues)
	if refused != "" {
		t.Fatal(refused)
	}
	s.serve(t, chart)
	s.install(t, exampleValues)
	if _, err := s.Kubectl(t.Context(), "apply", "-n", "examples", "-f", file(t, accountsOf(t, "../../examples/*.yaml"))); err != nil {
		t.Fatal(err)
	}
	// Without the webhook's answer a pod that opted in would be refused: until it is asked,
	// and the policies are in force.
	optedIn := func(p corev1.Pod) corev1.Pod {
		p.Labels["podpass.io/inject"] = "true"
		return p
	}
	eventually(t, "policy injected", func() error {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x", Labels: map[string]string{}}, Spec: corev1.PodSpec{ServiceAccountName: "nobody", Containers: []corev1.Container{{Name: "a", Image: "a"}}}}
		if _, err := s.createPod(t, "examples", optedIn(p)); err == nil || !strings.Contains(err.Error(), "WI305") {
			return fmt.Errorf("a pod that opted in, and asks for nothing: %w", err)
		}
		return nil
	})
	modes := map[string]int{}
	for _, p := range podsOf(t, "../../examples/*.yaml") {
		got, err := s.createPod(t, "examples", p)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		mode := got.Labels["podpass.io/injected"]
		modes[mode]++
		if mode == "" {
			if p.Spec.ServiceAccountName != "nobody" {
				t.Errorf("%s is not injected", p.Name)
			}
			continue
		}
		if _, err := s.createPod(t, "examples", optedIn(p)); err != nil {
			t.Errorf("%s, opted in: %v", p.Name, err)
		}
	}
	if modes["broker"] < 8 || modes["direct"] < 3 || modes[""] != 1 {
		t.Errorf("the examples show too little: %v", modes)
	}
	s.apply(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: podpass-webhook, namespace: podpass}}")
	own := podsOf(t, file(t, chart))
	for _, p := range own {
		if _, err := s.createPod(t, "podpass", p); err != nil {
			t.Errorf("podpass's own: %v", err)
		}
	}
	if len(own) == 0 {
		t.Error("the chart has no pods")
	}
}

func (s *server) createPod(t *testing.T, namespace string, p corev1.Pod) (*corev1.Pod, error) {
	t.Helper()
	return s.client.CoreV1().Pods(namespace).Create(t.Context(), &p, dryRun)
}

// accountsOf are the ServiceAccounts of manifests.
func accountsOf(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	var accounts []string
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range strings.SplitSeq(string(raw), "\n---") {
			if strings.Contains(doc, "\nkind: ServiceAccount\n") {
				accounts = append(accounts, doc)
			}
		}
	}
	return strings.Join(accounts, "\n---\n")
}

// podsOf are the pods of manifests, and those of their workloads.
func podsOf(t *testing.T, pattern string) []corev1.Pod {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	var pods []corev1.Pod
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range strings.SplitSeq(string(raw), "\n---") {
			var o struct {
				Kind       string            `json:"kind"`
				ObjectMeta metav1.ObjectMeta `json:"metadata"`
				Spec       struct {
					corev1.PodSpec `json:",inline"`
					Template       corev1.PodTemplateSpec `json:"template"`
				} `json:"spec"`
			}
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p := corev1.Pod{ObjectMeta: o.ObjectMeta, Spec: o.Spec.PodSpec}
			switch o.Kind {
			case "Pod":
			case "Deployment", "Job":
				p.Labels, p.Annotations, p.Spec, p.Namespace = o.Spec.Template.Labels, o.Spec.Template.Annotations, o.Spec.Template.Spec, ""
			default:
				continue
			}
			if p.Labels == nil {
				p.Labels = map[string]string{}
			}
			pods = append(pods, p)
		}
	}
	return pods
}

// serve runs the webhook with the settings of a rendered chart, and registers it.
func (s *server) serve(t *testing.T, chart string) {
	t.Helper()
	var settings string
	for doc := range strings.SplitSeq(chart, "\n---\n") {
		var c corev1.ConfigMap
		if yaml.Unmarshal([]byte(doc), &c) == nil && c.Kind == "ConfigMap" && c.Data["config.yaml"] != "" {
			settings = c.Data["config.yaml"]
		}
	}
	if settings == "" {
		t.Fatal("the chart has no settings")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "podpass-webhook")
	if err := program.Build(t.Context(), dir, "../../cmd/podpass-webhook"); err != nil {
		t.Fatal(err)
	}
	certificate, key := program.Certificate(t)
	for name, content := range map[string][]byte{"config.yaml": []byte(settings), "tls.crt": certificate, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address, probes := program.Address(t), program.Address(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "--kubeconfig", s.Kubeconfig, "--config", filepath.Join(dir, "config.yaml"),
		"--tls-cert", filepath.Join(dir, "tls.crt"), "--tls-key", filepath.Join(dir, "tls.key"), "--listen", address, "--probe-listen", probes,
		"--shutdown-delay", "100ms", "--audit-period", "0s")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the webhook, after SIGTERM: %v", err)
		}
	})
	eventually(t, "the webhook", func() error {
		resp, err := http.Get("http://" + probes + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", resp.Status)
		}
		return nil
	})
	s.apply(t, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: podpass}
webhooks:
  - name: pods.podpass.io
    failurePolicy: Fail
    admissionReviewVersions: [v1]
    sideEffects: None
    reinvocationPolicy: IfNeeded
    clientConfig: {url: "https://%s/mutate", caBundle: %s}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: examples}}
`, address, base64.StdEncoding.EncodeToString(certificate)))
}
