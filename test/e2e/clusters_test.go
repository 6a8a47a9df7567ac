package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
)

// TestOtherCluster: pods read in another cluster's API by the kubeconfig that they are
// given, in either mode, as the user that the other cluster makes of their token.
func TestOtherCluster(t *testing.T) {
	require(t)
	us := cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	trustPods(t, us)
	for _, args := range []string{
		"create namespace orders", "create configmap from-us -n orders",
		"create rolebinding readers -n orders --clusterrole view --user prod-eu:system:serviceaccount:e2e:clusters",
	} {
		if _, err := us.Kubectl(t.Context(), strings.Fields(args)...); err != nil {
			t.Fatal(err)
		}
	}
	// The machine as pods see it, by a name of the other API server's certificate.
	_, port, _ := strings.Cut(strings.TrimPrefix(us.Server, "https://"), ":")
	if err := bed.Install(t.Context(), "--set", "kube.clusters.prod-us.server=https://kubernetes:"+port, "--set", "kube.clusters.prod-us.audience=https://prod-us.example.com",
		"--set", "kube.clusters.prod-us.namespace=orders", "--set-file", "kube.clusters.prod-us.caBundle="+us.CAFile); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	binary, _, _ := strings.Cut(bed.KubectlCommand(), " ")
	if err := bed.LoadImage(t.Context(), cluster.ImageOptions{Name: "podpass.io/kubectl:dev", Entrypoint: []string{"/podpass-kube", "kubectl"}, User: "65532:65532", Files: []string{binary + "=/podpass-kube"}}); err != nil {
		t.Fatal(err)
	}
	const accounts = `
{apiVersion: v1, kind: ServiceAccount, metadata: {name: clusters, annotations: {podpass.io/kube-clusters: prod-us}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: controller, annotations: {podpass.io/kube-clusters: "in-cluster,prod-us"}}}
`
	const me = `"auth", "whoami", "-o", "jsonpath={.status.userInfo.username} {.status.userInfo.groups}"`
	pods := map[string]struct {
		account, mode, args, want string
	}{
		"reads":         {"clusters", "broker", `"get", "configmap", "from-us", "-o", "name"`, "configmap/from-us"},
		"reads-direct":  {"clusters", "direct", `"get", "configmap", "from-us", "-o", "name"`, "configmap/from-us"},
		"is":            {"clusters", "broker", me, `prod-eu:system:serviceaccount:e2e:clusters ["prod-eu:system:serviceaccounts","prod-eu:system:serviceaccounts:e2e","system:authenticated"]`},
		"has-no-rights": {"controller", "broker", `"get", "configmaps", "--context", "prod-us"`, `User "prod-eu:system:serviceaccount:e2e:controller" cannot list resource "configmaps"`},
		"is-at-home":    {"controller", "broker", me, `system:serviceaccount:e2e:controller ["system:serviceaccounts","system:serviceaccounts:e2e","system:authenticated"]`},
	}
	manifests := []string{accounts}
	for name, p := range pods {
		manifests = append(manifests, clientPod(name, p.account, p.mode, p.args))
	}
	start(t, manifests...)
	for name, p := range pods {
		t.Run(name, func(t *testing.T) {
			if got := said(t, name); !strings.Contains(got, p.want) {
				t.Errorf("%q, want %q", got, p.want)
			}
		})
	}
	if names := kubectl(t, "get", "pod", "is", "-n", namespace, "-o", "jsonpath={.spec.initContainers[*].name}"); names != "podpass-kubeconfig" {
		t.Errorf("init containers %q", names)
	}
}

// trustPods tells an API server of the bed's issuer.
func trustPods(t *testing.T, us *cluster.Cluster) {
	t.Helper()
	ca, err := os.ReadFile(bed.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "authentication.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: %s
    audiences: [https://prod-us.example.com]
    certificateAuthority: %q
  claimMappings:
    username: {expression: "'prod-eu:' + claims.sub"}
    groups: {expression: "['prod-eu:system:serviceaccounts', 'prod-eu:system:serviceaccounts:' + claims['kubernetes.io'].namespace]"}
`, bed.Issuer, ca), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := us.Restart(t.Context(), "kube-apiserver", false, "--authentication-config="+config); err != nil {
		t.Fatal(err)
	}
}

// clientPod runs kubectl once, with nothing of its own.
func clientPod(name, account, mode, args string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, labels: {test: e2e}, annotations: {podpass.io/mode: %s}}
spec:
  serviceAccountName: %s
  restartPolicy: Never
  hostAliases: [{ip: %s, hostnames: [kubernetes]}]
  containers:
    - name: app
      image: podpass.io/kubectl:dev
      imagePullPolicy: Never
      args: [%s]
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      resources:
        requests: {cpu: 10m, memory: 64Mi}
        limits: {cpu: "1", memory: 512Mi}
`, name, mode, account, bed.GatewayIP, args)
}

// said is what a pod has printed when it has ended.
func said(t *testing.T, name string) string {
	t.Helper()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		phase := kubectl(t, "get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.phase}")
		switch {
		case phase == "Succeeded" || phase == "Failed":
			return kubectl(t, "logs", name, "-c", "app", "-n", namespace)
		case time.Since(began) > 2*time.Minute:
			t.Fatalf("%s is %s:\n%s", name, phase, kubectl(t, "describe", "pod", name, "-n", namespace))
		}
	}
}
