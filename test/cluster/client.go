package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config is that of a client of the API server as cluster-admin, which sends as fast as
// it can.
func (c *Cluster) Config(tb testing.TB) *rest.Config {
	tb.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		tb.Fatal(err)
	}
	config.QPS = -1
	return config
}

// Client is a client with that configuration.
func (c *Cluster) Client(tb testing.TB) kubernetes.Interface {
	tb.Helper()
	client, err := kubernetes.NewForConfig(c.Config(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// Do runs kubectl as cluster-admin, which has to succeed, and gives what it prints.
func (c *Cluster) Do(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := c.Kubectl(tb.Context(), args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Apply applies manifests, in which no field may be unknown.
func (c *Cluster) Apply(tb testing.TB, manifests []byte) {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "manifests.yaml")
	if err := os.WriteFile(file, manifests, 0o600); err != nil {
		tb.Fatal(err)
	}
	c.Do(tb, "apply", "--validate=strict", "-f", file)
}
