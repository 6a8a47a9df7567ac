package clusters

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/webhook/inject"
)

const (
	namespace = "shop"
	audience  = "https://prod-us.example.com"
	// podDir is what the plan's paths begin with, which here are a directory of the test's.
	podDir = "/var/run/secrets/podpass.io"
	ownDir = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// world is a cluster "prod-eu" with a pod, and another, "prod-us", that takes its tokens.
type world struct {
	eu, us *cluster.Cluster
	// euAPI and usAPI are their administrators' clients.
	euAPI, usAPI kubernetes.Interface
	// authentication is prod-us's AuthenticationConfiguration, and dir where the pod's
	// files are.
	authentication, dir string
}

// authentication is what prod-us is told of an issuer, called name there.
func authentication(name, issuer, ca string) string {
	return fmt.Sprintf(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: %[2]s
    audiences: [%[4]s]
    certificateAuthority: %[3]q
  claimValidationRules:
  - expression: "'pod' in claims['kubernetes.io']"
    message: the token is not bound to a pod
  claimMappings:
    username:
      expression: "'%[1]s:' + claims.sub"
    groups:
      expression: "['%[1]s:system:serviceaccounts', '%[1]s:system:serviceaccounts:' + claims['kubernetes.io'].namespace]"
    extra:
    - key: %[1]s.example.com/pod
      valueExpression: claims['kubernetes.io'].pod.name
    - key: %[1]s.example.com/token
      valueExpression: claims.jti
  userValidationRules:
  - expression: "!user.username.startsWith('system:')"
    message: a name of this cluster's own
`, name, issuer, ca, audience)
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.eu = cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	w.us = cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	w.euAPI, w.usAPI = w.eu.Client(t), w.us.Client(t)
	w.authentication = filepath.Join(w.dir, "authentication.yaml")
	w.trust(t, "prod-eu", w.eu.Issuer)
	if err := w.us.Restart(t.Context(), "kube-apiserver", false, "--authentication-config="+w.authentication); err != nil {
		t.Fatal(err)
	}
	for _, api := range []kubernetes.Interface{w.euAPI, w.usAPI} {
		if _, err := api.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.us.Kubectl(t.Context(), "create", "rolebinding", "orders", "-n", namespace, "--clusterrole", "edit", "--user", "prod-eu:system:serviceaccount:shop:orders"); err != nil {
		t.Fatal(err)
	}
	return w
}

// trust writes prod-us's configuration, at once for its API server, which may be reading.
func (w *world) trust(t *testing.T, name, issuer string) {
	t.Helper()
	replace(t, w.authentication, authentication(name, issuer, readFile(t, w.eu.CAFile)))
}

// replace writes a file as kubelet does: whole, in the place of the former.
func replace(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// account makes a ServiceAccount of prod-eu, and a pod of it.
func (w *world) account(t *testing.T, name string) {
	t.Helper()
	if _, err := w.euAPI.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{ServiceAccountName: name, Containers: []corev1.Container{{Name: "app", Image: "example.com/app"}}}}
	if _, err := w.euAPI.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// token is what kubelet asks for.
func (w *world) token(t *testing.T, account, audience string) string {
	t.Helper()
	pod, err := w.euAPI.CoreV1().Pods(namespace).Get(t.Context(), account, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seconds := int64(3600)
	review, err := w.euAPI.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{audience}, ExpirationSeconds: &seconds, BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Token
}

// files lays down what the pods of a ServiceAccount that lists clusters have, in a
// directory instead of [podDir], and gives the kubeconfig: the very text that the plan has
// for its init container.
func (w *world) files(t *testing.T, account, clusters string) string {
	t.Helper()
	config, err := yaml.Marshal(map[string]any{
		"broker": map[string]string{"image": "example.com/broker"},
		"kube":   map[string]any{"clusters": map[string]any{"prod-us": map[string]string{"server": w.us.Server, "audience": audience, "caBundle": readFile(t, w.us.CAFile)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := inject.LoadSettings(config)
	if err != nil {
		t.Fatal(err)
	}
	raw := fmt.Appendf(nil, `{"metadata":{"name":%[1]q,"namespace":%[2]q},"spec":{"serviceAccountName":%[1]q,"containers":[{"name":"app"}]}}`, account, namespace)
	pod, err := inject.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	request := pod.Request()
	request.Annotations = map[string]string{"podpass.io/kube-clusters": clusters}
	result, err := inject.Plan(pod, serviceaccount.Resolve(request, settings.Installation), settings)
	if err != nil || len(result.Errors) > 0 {
		t.Fatal(err, result.Errors)
	}
	patch, err := jsonpatch.DecodePatch(result.Patch)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = patch.Apply(raw); err != nil {
		t.Fatal(err)
	}
	var planned corev1.Pod
	if err := json.Unmarshal(raw, &planned); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.dir, account)
	if err := os.MkdirAll(filepath.Join(dir, "kube"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, source := range planned.Spec.Volumes[0].Projected.Sources {
		replace(t, filepath.Join(dir, "kube", source.ServiceAccountToken.Path), w.token(t, account, source.ServiceAccountToken.Audience))
	}
	text := strings.ReplaceAll(planned.Spec.InitContainers[0].Env[0].Value, "$$", "$")
	// As the writer does it in the pod, whose environment names its API server.
	host, port, err := net.SplitHostPort(strings.TrimPrefix(w.eu.Server, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	text = kube.Located(text, func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}[name]
	})
	// What Kubernetes itself mounts.
	own := filepath.Join(dir, "own")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(own, "token"), w.token(t, account, w.eu.Issuer))
	replace(t, filepath.Join(own, "ca.crt"), readFile(t, w.eu.CAFile))
	path := filepath.Join(dir, "config")
	replace(t, path, strings.NewReplacer(podDir+"/", dir+"/", ownDir+"/", own+"/").Replace(text))
	return path
}

// tokenFile is that of the account for prod-us.
func (w *world) tokenFile(account string) string {
	return filepath.Join(w.dir, account, "kube", "prod-us")
}

// eventually waits until a condition holds; why says what is missing.
func eventually(t *testing.T, patience time.Duration, what string, holds func() error) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		err := holds()
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// reloads is how often prod-us's API server has read its configuration again, as its
// metric says.
func (w *world) reloads(t *testing.T) int {
	t.Helper()
	metrics, err := w.usAPI.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for line := range strings.Lines(string(metrics)) {
		if strings.HasPrefix(line, "apiserver_authentication_config_controller_automatic_reloads_total{") && strings.Contains(line, `status="success"`) {
			if n, err = strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return int(n)
}
