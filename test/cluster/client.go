package cluster

import (
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
