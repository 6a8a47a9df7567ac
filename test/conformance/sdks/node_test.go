package sdks

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// network is a proxy for all that is asked of a node's metadata service, at the addresses
// that SDKs have built in, where nothing is in a test. Go's and Debian's Python's library
// for Google Cloud take no proxy.
func network(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := r.URL.Hostname(); strings.HasPrefix(host, "169.254.") || strings.HasPrefix(host, "metadata.") {
			asked.Add(1)
		}
		http.Error(w, "nothing is there", http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestKeptFromNode: with what the webhook adds to a container that it leaves without a
// cloud (test/conformance/pods), no SDK goes on to the node; without it, SDKs do.
func TestKeptFromNode(t *testing.T) {
	programs, m := slices.Concat(clients(t), pythonClients(t)), newMatrix(t)
	secret := []string{"AZURE_CLIENT_SECRET=example"} // not enough: no client, no tenant
	for name, test := range map[string]struct {
		cloud      string
		env, guard []string
	}{
		"azure, a part of a key": {"azure", secret, []string{
			"IDENTITY_ENDPOINT=http://127.0.9.11:1", "IDENTITY_HEADER=podpass-none", "AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.9.11:1",
		}},
		"gcp, nothing": {"gcp", nil, []string{
			"GCE_METADATA_HOST=127.0.9.11:1", "GCE_METADATA_IP=127.0.9.11:1", "GCE_METADATA_ROOT=127.0.9.11:1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range programs {
				if c.check(test.cloud) == "" || c.name != "js" && test.cloud == "gcp" {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					for _, guarded := range []bool{false, true} {
						w := newWorld(t, scenario{})
						proxy, asked := network(t)
						env := slices.Concat(w.commonEnv(), []string{"HTTP_PROXY=" + proxy, "http_proxy=" + proxy}, test.env)
						row := name + ", unguarded"
						if guarded {
							env, row = append(env, test.guard...), name+", guarded"
						}
						r := c.run(t, c.check(test.cloud), env)
						if r.OK {
							t.Errorf("got credentials of %s", r.Identity)
						}
						cell := "does not ask"
						if asked.Load() > 0 {
							cell = "asks the node"
						}
						if guarded == (asked.Load() > 0) {
							t.Errorf("guarded: %v, and the SDK %s: %s", guarded, cell, r.Error)
						}
						m.set(row, c.name, cell)
					}
				})
			}
		})
	}
	t.Run("gcp, nothing, go", func(t *testing.T) {
		w := newWorld(t, scenario{})
		r := programs[0].run(t, "gcp", append(w.commonEnv(), "GCE_METADATA_HOST=127.0.9.11:1"))
		if r.OK || !strings.Contains(r.Error, "127.0.9.11:1") {
			t.Errorf("want an error of the address where nothing is: %+v", r)
		}
	})
}
