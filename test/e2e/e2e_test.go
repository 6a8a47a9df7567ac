// Package e2e holds podpass to its promise on real pods: a real API server and
// kubelet, the chart installed by Helm, the clouds' own SDKs.
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
	"github.com/podpass-io/podpass/test/testbed"
)

const namespace = "e2e"

// bed is one for all tests: it takes half a minute to come up.
var bed *testbed.Bed

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	if os.Getenv(cluster.Enabled) == "" || os.Geteuid() != 0 {
		return m.Run() // each test says why it is skipped
	}
	ctx := context.Background()
	root, err := filepath.Abs("../..")
	if err != nil {
		return fail(err)
	}
	opts := testbed.Options{Dir: filepath.Join(os.TempDir(), "podpass-e2e"), Root: root, Log: os.Stderr}
	defer func() {
		if err := testbed.Down(ctx, opts); err != nil {
			code = fail(err)
		}
	}()
	if bed, err = testbed.Up(ctx, opts); err != nil {
		return fail(err)
	}
	if err := install(ctx); err != nil {
		return fail(err)
	}
	if err := bed.CreateNamespace(ctx, namespace); err != nil {
		return fail(err)
	}
	if err := bed.ApplyExamples(ctx, namespace, "00-serviceaccounts.yaml"); err != nil {
		return fail(err)
	}
	return m.Run()
}

// install installs the chart with further arguments. No pods are created meanwhile, so a
// replica that ends need not serve on for seconds: a test that creates some, or is about such
// replicas, installs by bed.Install.
func install(ctx context.Context, args ...string) error {
	return bed.Install(ctx, append([]string{"--set", "shutdownDelaySeconds=1"}, args...)...)
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// pod is a pod of a test, in a namespace that enforces Pod Security "restricted"
// and has a ResourceQuota that demands limits.
type pod struct {
	name, serviceAccount, sdk string // sdk: go or js
	check                     string // argument of the SDK program
	mode                      string // "": the installation's
	annotations               string // further ones, as YAML
	labels                    string
	env                       string // further variables, as a YAML list
}

func (p pod) manifest() string {
	image, env := testbed.GoSDKImage, ""
	if p.sdk == "js" {
		image = testbed.JSSDKImage
	}
	if p.mode != "" {
		p.annotations = "podpass.io/mode: " + p.mode
	}
	if p.env != "" {
		env = "env: " + p.env
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: %s
  labels: {test: e2e%s}
  annotations: {%s}
spec:
  serviceAccountName: %s
  restartPolicy: Never
  containers:
    - name: app
      image: %s
      imagePullPolicy: Never
      args: [%s, --timeout, 60s]
      %s
      envFrom: [{configMapRef: {name: clouds}}]
      volumeMounts: [{name: clouds, mountPath: /etc/clouds, readOnly: true}]
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      resources:
        requests: {cpu: 10m, memory: 64Mi}
        limits: {cpu: "1", memory: 512Mi}
  volumes: [{name: clouds, configMap: {name: clouds}}]
`, p.name, p.labels, p.annotations, p.serviceAccount, image, p.check, env)
}

func require(t *testing.T) {
	t.Helper()
	cluster.Require(t, cluster.Options{})
}

// start creates pods, and removes all pods after the test.
func start(t *testing.T, manifests ...string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := bed.Kubectl(context.WithoutCancel(t.Context()), "delete", "pods,jobs", "--all", "-n", namespace, "--grace-period=1", "--wait"); err != nil {
			t.Errorf("remove the pods: %v", err)
		}
	})
	if len(manifests) == 0 {
		return
	}
	if err := bed.Apply(t.Context(), namespace, strings.Join(manifests, "\n---\n")); err != nil {
		t.Fatal(err)
	}
}

// outcomes waits for what the SDKs in the pods say.
func outcomes(t *testing.T) map[string]testbed.Outcome {
	t.Helper()
	list, err := bed.Outcomes(t.Context(), namespace, 3*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	testbed.Print(&table, list)
	t.Log("\n" + table.String())
	m := map[string]testbed.Outcome{}
	for _, o := range list {
		m[o.Pod+"/"+o.Container+"/"+o.Cloud] = o
	}
	return m
}
