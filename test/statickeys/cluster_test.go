package statickeys

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
)

// TestCluster: a real API server takes all objects as they are, without a field that it does
// not know, and its controllers leave the legacy token alone.
func TestCluster(t *testing.T) {
	c := cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	Define(t, c)
	cases := slices.Concat(Cases(namespace), Decoys(namespace))
	Install(t, c, namespace, cases)

	// It notes the account's UID when it has looked at the Secret.
	c.Do(t, "wait", "-n", namespace, "secret/cluster-token", `--for=jsonpath={.metadata.annotations.kubernetes\.io/service-account\.uid}`, "--timeout=60s")
	token := c.Do(t, "get", "-n", namespace, "secret", "cluster-token", "-o", "jsonpath={.data.token}")
	i := slices.IndexFunc(cases, func(c Case) bool { return c.Name == "cluster-token" })
	if token != base64.StdEncoding.EncodeToString([]byte(cases[i].Secrets[0])) {
		t.Error("the token's Secret has another token now")
	}
}
