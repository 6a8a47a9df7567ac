package statickeys

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
)

// TestCluster: a real API server takes all objects as they are, without a field that it does
// not know, and its controllers leave the legacy token alone.
func TestCluster(t *testing.T) {
	c := cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := c.Kubectl(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	apply := func(documents []byte) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "objects.yaml")
		if err := os.WriteFile(file, documents, 0o600); err != nil {
			t.Fatal(err)
		}
		kubectl("apply", "--validate=strict", "-f", file)
	}
	kubectl("create", "namespace", namespace)
	kubectl("wait", "-n", namespace, "--for=create", "serviceaccount/default", "--timeout=60s")
	apply(documents(CRDs()))
	kubectl("wait", "--for=condition=Established", "crd/rollouts.example.com", "crd/clusters.example.com", "--timeout=60s")
	cases := slices.Concat(Cases(namespace), Decoys(namespace))
	apply(Manifests(cases))

	// It notes the account's UID when it has looked at the Secret.
	kubectl("wait", "-n", namespace, "secret/cluster-token", `--for=jsonpath={.metadata.annotations.kubernetes\.io/service-account\.uid}`, "--timeout=60s")
	token := kubectl("get", "-n", namespace, "secret", "cluster-token", "-o", "jsonpath={.data.token}")
	i := slices.IndexFunc(cases, func(c Case) bool { return c.Name == "cluster-token" })
	if token != base64.StdEncoding.EncodeToString([]byte(cases[i].Secrets[0])) {
		t.Error("the token's Secret has another token now")
	}
}
