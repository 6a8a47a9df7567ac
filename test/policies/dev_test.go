package policies

import (
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
)

var startCluster = func(t testing.TB, _ cluster.Options) *cluster.Cluster {
	c, err := cluster.Open(t.Context(), "/tmp/poldev/kube")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
