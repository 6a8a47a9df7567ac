package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/test/cluster"
)

const component = "app.kubernetes.io/name=podpass,app.kubernetes.io/component=webhook"

// TestClusterLimitedPriority: an API server that is configured as GKE's creates no pod of
// the webhook without the quota, and says so; with the quota of the chart it does. It is
// Kubernetes' own admission; nothing stands in for it.
func TestClusterLimitedPriority(t *testing.T) {
	c := up(t)
	uninstall(t, c)
	if err := install(t, c, "--set", "resourceQuota.enabled=false"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "refused without the quota", func() bool {
		events, err := c.Kubectl(t.Context(), "get", "events", "-n", own, "-o", "jsonpath={.items[*].message}")
		return err == nil && strings.Contains(events, "insufficient quota to match these scopes")
	})
	if created := podNames(t, c); len(created) > 0 {
		t.Errorf("pods without the quota: %q", created)
	}
	if err := install(t, c); err != nil {
		t.Fatal(err)
	}
	// The ReplicaSets try again after longer and longer pauses.
	if _, err := c.Kubectl(t.Context(), "rollout", "restart", "deployment", "-n", own, "-l", "app.kubernetes.io/name=podpass"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "admitted with the quota", func() bool { return len(podNames(t, c)) >= 2 })
	uninstall(t, c)
	left, err := c.Kubectl(t.Context(), "get", "all,configmaps,resourcequotas,poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,leases,serviceaccounts",
		"--all-namespaces", "-l", "app.kubernetes.io/name=podpass,app.kubernetes.io/managed-by=Helm", "-o", "name")
	if err != nil || left != "" {
		t.Errorf("left after uninstall: %s, %v", left, err)
	}
}

func podNames(t *testing.T, c *cluster.Cluster) []string {
	t.Helper()
	out, err := c.Kubectl(t.Context(), "get", "pods", "-n", own, "-l", component, "-o", "name")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out)
}

// enforce does what AKS's admissions enforcer does to a webhook that is not told to be left
// alone, and stands in for it: it leaves its own namespaces out, and owns the field.
func enforce(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client := c.Client(t).AdmissionregistrationV1().MutatingWebhookConfigurations()
	have, err := client.Get(t.Context(), "podpass", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if have.Annotations["admissions.enforcer/disabled"] == "true" {
		return
	}
	changed := have.DeepCopy()
	for i := range changed.Webhooks {
		s := changed.Webhooks[i].NamespaceSelector
		s.MatchExpressions = append(s.MatchExpressions,
			metav1.LabelSelectorRequirement{Key: "control-plane", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"true"}},
			metav1.LabelSelectorRequirement{Key: "kubernetes.azure.com/managedby", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"aks"}})
	}
	if _, err := client.Update(t.Context(), changed, metav1.UpdateOptions{FieldManager: "admissionsenforcer"}); err != nil {
		t.Fatal(err)
	}
}

// TestClusterFieldManagers: others that write to the registrations are in no upgrade's way:
// AKS's enforcer with the profile, and podpass itself, whose CA stays. Where an upgrade takes
// a field from another, it says so, and --force-conflicts does it.
func TestClusterFieldManagers(t *testing.T) {
	c := up(t)
	profile := []string{"--values", chartDir + "/values/aks.yaml"}
	for name, test := range map[string]struct {
		args     []string
		then     func(*testing.T, *cluster.Cluster)
		upgrade  []string
		conflict string
	}{
		"nobody":                       {nil, func(*testing.T, *cluster.Cluster) {}, nil, ""},
		"AKS, with the profile":        {profile, enforce, profile, ""},
		"AKS, without":                 {nil, enforce, []string{"--set", "excludedNamespaces={vault}"}, `conflicts with "admissionsenforcer"`},
		"AKS, without, forced":         {nil, enforce, append([]string{"--force-conflicts"}, profile...), ""},
		"podpass's CA":                 {nil, publish, []string{"--set", "timeoutSeconds=7"}, ""},
		"podpass's CA, then one's own": {nil, publish, []string{"--values", "testdata/matrix/certificate-existing.yaml"}, "caBundle"},
		"podpass's CA, then forced":    {nil, publish, []string{"--values", "testdata/matrix/certificate-existing.yaml", "--force-conflicts"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			uninstall(t, c)
			if err := install(t, c, test.args...); err != nil {
				t.Fatal(err)
			}
			test.then(t, c)
			err := install(t, c, test.upgrade...)
			if (err == nil) != (test.conflict == "") || err != nil && !strings.Contains(err.Error(), test.conflict) {
				t.Errorf("upgrade: %v, want %q", err, test.conflict)
			}
			if name == "podpass's CA" && !strings.Contains(registration(t, c), "caBundle") {
				t.Error("the upgrade took podpass's CA away")
			}
		})
	}
	uninstall(t, c)
}

// publish writes a CA as the webhook does: into each entry, by a patch of its own.
func publish(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client := c.Client(t).AdmissionregistrationV1().MutatingWebhookConfigurations()
	have, err := client.Get(t.Context(), "podpass", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join("testdata", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value []byte `json:"value"`
	}
	var patch []entry
	for i := range have.Webhooks {
		patch = append(patch, entry{"add", fmt.Sprintf("/webhooks/%d/clientConfig/caBundle", i), ca})
	}
	raw, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	after, err := client.Patch(t.Context(), "podpass", types.JSONPatchType, raw, metav1.PatchOptions{FieldManager: "podpass-webhook"})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range after.Webhooks {
		if !bytes.Equal(w.ClientConfig.CABundle, ca) {
			t.Fatalf("%s has another CA", w.Name)
		}
	}
}

func registration(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	out, err := c.Kubectl(t.Context(), "get", "mutatingwebhookconfiguration", "podpass", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
