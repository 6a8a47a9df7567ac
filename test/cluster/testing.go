package cluster

import (
	"context"
	"os"
	"testing"
)

// Enabled is the variable that switches on tests that start a cluster: they take
// seconds to minutes, and `go test ./...` should not.
const Enabled = "PODPASS_TEST_CLUSTER"

// Start starts a cluster for a test and removes it afterwards. Without the
// variable PODPASS_TEST_CLUSTER, or where a node is asked for and we are not root,
// the test is skipped, and says why.
func Start(t testing.TB, opts Options) *Cluster {
	t.Helper()
	Require(t, opts)
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Log == nil {
		opts.Log = t.Output()
	}
	// The cleanup must work, and the cluster outlive t.Context's end, which comes
	// before cleanups run.
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := Down(ctx, opts); err != nil {
			t.Errorf("remove the cluster: %v", err)
		}
	})
	c, err := Up(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Require skips a test that cannot start a cluster here.
func Require(t testing.TB, opts Options) {
	t.Helper()
	if os.Getenv(Enabled) == "" {
		t.Skip(Enabled + " is not set: `make integration` and `make e2e` set it")
	}
	if !opts.ControlPlaneOnly && os.Geteuid() != 0 {
		t.Skip("a node needs root: containers, network namespaces, mounts")
	}
}
