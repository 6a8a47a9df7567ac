package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/statickeys"
)

// TestClusterMigrateRights: the rights that docs/migrate.md names are enough on a real API
// server, for a scan and for apply and undo.
func TestClusterMigrateRights(t *testing.T) {
	c := rightsCluster{Cluster: cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true}), dir: t.TempDir()}
	c.Do(t, "create", "namespace", "podpass-system")
	statickeys.Define(t, c.Cluster)
	statickeys.Install(t, c.Cluster, "shop", slices.Concat(statickeys.Cases("shop"), statickeys.Decoys("shop")))
	t.Run("apply", func(t *testing.T) { applyRights(t, c) })
	t.Run("scan", func(t *testing.T) { scanRights(t, c) })
}

// scanRights: the ClusterRole finds all keys; bound in a namespace, those of that; and
// without its rule for Secrets the scan says so.
func scanRights(t *testing.T, c rightsCluster) {
	const operators = "  - apiGroups: [argoproj.io] # the operators that you have\n    resources: [rollouts]"
	page := manifestOf(t, "podpass-migrate-scan")
	role := strings.Replace(page, operators, "  - apiGroups: [example.com]\n    resources: [rollouts, clusters]", 1)
	if role == page {
		t.Fatal("docs/migrate.md has no rule for operators")
	}
	c.Apply(t, []byte(role))
	c.Do(t, "create", "clusterrolebinding", "scanner", "--clusterrole=podpass-migrate-scan", "--user=scanner")
	if all, said := c.scan(t, "-A", "--as", "scanner"); len(all.Credentials) != 24 || len(all.Unread) > 0 || strings.Contains(said, "warning") {
		t.Errorf("%d credentials, want 24; not read: %v; it says %s", len(all.Credentials), all.Unread, said)
	}
	c.Do(t, "create", "rolebinding", "scanner", "-n", "shop", "--clusterrole=podpass-migrate-scan", "--user=shop-scanner")
	if all, said := c.scan(t, "-n", "shop", "--as", "shop-scanner"); len(all.Credentials) != 24 || len(all.Unread) > 0 || !strings.Contains(said, "--settings") {
		t.Errorf("%d credentials of the namespace, want 24; not read: %v; it says %s", len(all.Credentials), all.Unread, said)
	}

	const secrets = "  - apiGroups: [\"\"]\n    resources: [secrets]"
	before, after, ok := strings.Cut(role, secrets)
	_, after, ok2 := strings.Cut(after, "\n  - ")
	if !ok || !ok2 {
		t.Fatal("docs/migrate.md has no rule for Secrets alone")
	}
	c.Apply(t, []byte(before+"  - "+after))
	references, _ := c.scan(t, "-A", "--as", "scanner")
	denied := func(u graph.Unread) bool { return u.What == "all of Secret" && u.Why == "you may not list secrets" }
	if !slices.ContainsFunc(references.Unread, denied) {
		t.Errorf("it does not say that Secrets were not read: %v", references.Unread)
	}
	if len(references.Unread) < 2 || len(references.Credentials) >= 24 {
		t.Errorf("%d credentials and %d unread by references alone", len(references.Credentials), len(references.Unread))
	}
}

// registration is what apply looks for to see that podpass is there. It has no rules: the
// canary is not injected, which is the first thing that is not about rights.
const registration = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: podpass, labels: {app.kubernetes.io/name: podpass}}
webhooks:
  - name: opted-in.podpass.io
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {service: {name: podpass-webhook, namespace: podpass-system}}
`

// applyRights: with admin in the namespace and the roles of the page, apply gets as far as
// its canary, and undo takes that back; without admin it says what is missing.
func applyRights(t *testing.T, c rightsCluster) {
	c.Apply(t, []byte(registration))
	c.Apply(t, []byte(manifestOf(t, "podpass-migrate-apply")))
	c.Do(t, "create", "clusterrolebinding", "applier", "--clusterrole=podpass-migrate-apply", "--user=applier")
	c.Do(t, "create", "rolebinding", "applier", "-n", "podpass-system", "--role=podpass-migrate-apply", "--user=applier")
	folder := filepath.Join(c.dir, "migration")
	if _, said, err := c.podpass(t, "migrate", "plan", "deployment/env-literal", "-n", "shop", "--issuer", "https://oidc.example.com", "--output-directory", folder); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	apply := []string{"migrate", "apply", folder, "--approve", "--timeout", "5s", "--as", "applier"}
	if _, _, err := c.podpass(t, apply...); err == nil || !strings.Contains(err.Error(), "you may not: ") {
		t.Errorf("without admin: %v", err)
	}
	c.Do(t, "create", "rolebinding", "applier", "-n", "shop", "--clusterrole=admin", "--user=applier")
	if _, _, err := c.podpass(t, apply...); err == nil || !strings.Contains(err.Error(), "the canary has no sidecar of podpass") {
		t.Errorf("with admin: %v", err)
	}
	if _, said, err := c.podpass(t, "migrate", "undo", "deployment/env-literal", "-n", "shop", "--approve", "--as", "applier"); err != nil {
		t.Errorf("undo: %v: %s", err, said)
	}
}

// manifestOf is the block of docs/migrate.md that has a role of that name.
func manifestOf(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/migrate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range strings.Split(string(page), "```yaml\n")[1:] {
		if block, _, ok := strings.Cut(after, "```"); ok && strings.Contains(block, "name: "+name+"\n") {
			return block
		}
	}
	t.Fatalf("docs/migrate.md has no manifest of %s", name)
	return ""
}

// rightsCluster is a cluster, and a folder for what is given to it.
type rightsCluster struct {
	*cluster.Cluster
	dir string
}

func (c rightsCluster) podpass(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append(args, "--kubeconfig", c.Kubeconfig))
	err = root.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

// scan gives what is found, and what is said besides.
func (c rightsCluster) scan(t *testing.T, args ...string) (*graph.Graph, string) {
	t.Helper()
	out, said, err := c.podpass(t, append([]string{"migrate", "scan", "-o", "json"}, args...)...)
	g := &graph.Graph{}
	if jsonErr := json.Unmarshal([]byte(out), g); jsonErr != nil {
		t.Fatalf("%v; %v\n%s", jsonErr, err, said)
	}
	return g, said
}
