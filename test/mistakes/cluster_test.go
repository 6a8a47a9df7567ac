package mistakes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/cluster"
)

// live renders the whole chart as `helm upgrade` does: by Helm's engine, which looks at
// the cluster.
func live(t *testing.T, c *cluster.Cluster, release, namespace string, values map[string]any) (map[string]string, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	options := common.ReleaseOptions{Name: release, Namespace: namespace, IsUpgrade: true, Revision: 2}
	all, err := util.ToRenderValues(chart, values, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	return engine.RenderWithClient(chart, all, c.Config(t))
}

func apply(t *testing.T, c *cluster.Cluster, manifest string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "apply", "-f", file); err != nil {
		t.Fatal(err)
	}
}

// TestClusterSettings: what the chart renders by what it finds in a real API server.
func TestClusterSettings(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	apply(t, c, "{apiVersion: v1, kind: Namespace, metadata: {name: podpass-system}}")
	t.Run("former settings", func(t *testing.T) { former(t, c) })
	t.Run("a second release", func(t *testing.T) { second(t, c) })
}

// second: a second podpass is refused with words, the first one is not.
func second(t *testing.T, c *cluster.Cluster) {
	files, err := live(t, c, "podpass", "podpass-system", nil)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, c, files["podpass/templates/webhook.yaml"])
	if _, err := live(t, c, "podpass", "podpass-system", nil); err != nil {
		t.Errorf("an upgrade of the one that is there: %v", err)
	}
	for _, other := range [][2]string{{"second", "podpass-system"}, {"podpass", "elsewhere"}} {
		_, err := live(t, c, other[0], other[1], nil)
		const want = "podpass is in this cluster already, as release podpass in namespace podpass-system, and each would change the pods that the other has changed: upgrade that one, by helm upgrade podpass --namespace podpass-system, or take it away first, by helm uninstall podpass --namespace podpass-system"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s in %s: %v", other[0], other[1], err)
		}
	}
	if _, err := c.Kubectl(t.Context(), "delete", "mutatingwebhookconfiguration", "podpass"); err != nil {
		t.Fatal(err)
	}
	if _, err := live(t, c, "second", "elsewhere", nil); err != nil {
		t.Errorf("when the first is gone: %v", err)
	}
}

// former: what a ready replica has mounted stays in the manifest, and what was current
// stays once; what is former and not mounted goes.
func former(t *testing.T, c *cluster.Cluster) {
	const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: podpass-system, labels: {app.kubernetes.io/name: podpass, app.kubernetes.io/instance: %s, podpass.io/settings: %s}}
data: {config.yaml: "mode: direct # of %[1]s\n"}
`
	for name, is := range map[string]string{"podpass-webhook-1111111111": "former", "podpass-webhook-2222222222": "former", "podpass-webhook-3333333333": "current"} {
		apply(t, c, fmt.Sprintf(settings, name, "podpass", is))
	}
	apply(t, c, fmt.Sprintf(settings, "other-webhook-4444444444", "other", "current"))
	apply(t, c, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: podpass-system}}")
	client := c.Client(t)
	for name, mounts := range map[string]struct {
		configMap string
		ready     corev1.ConditionStatus
	}{"serves": {"podpass-webhook-1111111111", corev1.ConditionTrue}, "crashes": {"podpass-webhook-2222222222", corev1.ConditionFalse}} {
		pod, err := client.CoreV1().Pods("podpass-system").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/name": "podpass", "app.kubernetes.io/instance": "podpass", "app.kubernetes.io/component": "webhook"}},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "webhook", Image: "example.com/podpass:1"}},
				Volumes:    []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: mounts.configMap}}}}},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: mounts.ready}}
		if _, err := client.CoreV1().Pods("podpass-system").UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := live(t, c, "podpass", "podpass-system", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for doc := range strings.SplitSeq(files["podpass/templates/configmap.yaml"], "\n---\n") {
		var m corev1.ConfigMap
		if err := yaml.Unmarshal([]byte(doc+"\n"), &m); err != nil {
			t.Fatal(err)
		}
		got[m.Name] = m.Labels["podpass.io/settings"]
		if m.Labels["podpass.io/settings"] == "former" && m.Data["config.yaml"] != "mode: direct # of "+m.Name+"\n" {
			t.Errorf("%s has other data: %q", m.Name, m.Data)
		}
		if m.Labels["podpass.io/settings"] == "current" && !strings.Contains(files["podpass/templates/deployment.yaml"], "configMap: {name: "+m.Name+"}") {
			t.Errorf("no replica mounts %s", m.Name)
		}
	}
	current := ""
	for name, is := range got {
		if is == "current" {
			current = name
		}
	}
	want := map[string]string{current: "current", "podpass-webhook-1111111111": "former", "podpass-webhook-3333333333": "former"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
