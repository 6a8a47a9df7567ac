package statickeys

import (
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
)

// Define has a cluster know the custom resources of the cases.
func Define(t testing.TB, c *cluster.Cluster) {
	t.Helper()
	c.Apply(t, documents(CRDs()))
	for _, d := range CRDs() {
		c.Do(t, "wait", "--for=condition=Established", "crd/"+d.GetName(), "--timeout=60s")
	}
}

// Install makes a namespace with the objects of cases, whose custom resources the cluster
// has to know.
func Install(t testing.TB, c *cluster.Cluster, namespace string, cases []Case) {
	t.Helper()
	c.Do(t, "create", "namespace", namespace)
	c.Do(t, "wait", "-n", namespace, "--for=create", "serviceaccount/default", "--timeout=60s")
	if len(cases) > 0 {
		c.Apply(t, Manifests(cases))
	}
}
