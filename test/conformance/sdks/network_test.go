package sdks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/connect"
)

// podNetwork is a network namespace with a loopback and one link to the machine, as a
// CNI plugin makes one for a pod.
type podNetwork struct{ name string }

// newPodNetwork gives the machine's end of the link the first addresses, and the pod's
// end the last. There is no other route.
func newPodNetwork(t *testing.T, pod string, machine ...string) podNetwork {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces are made by root")
	}
	id := fmt.Sprint(os.Getpid() % 100000)
	n := podNetwork{"podpass-" + id}
	outside, inside := "pp"+id+"o", "pp"+id+"i"
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	ip("netns", "add", n.name)
	t.Cleanup(func() {
		// The link would go with the namespace, but some time later.
		for _, args := range [][]string{{"link", "del", outside}, {"netns", "del", n.name}} {
			if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
				t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
	})
	ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", n.name)
	for _, address := range machine {
		ip(slices.Concat([]string{"addr", "add", address, "dev", outside}, nodad(address))...)
	}
	ip("link", "set", outside, "up")
	ip("-n", n.name, "link", "set", "lo", "up")
	ip(slices.Concat([]string{"-n", n.name, "addr", "add", pod, "dev", inside}, nodad(pod))...)
	ip("-n", n.name, "link", "set", inside, "up")
	return n
}

// nodad: an IPv6 address is otherwise not used for a second, while it is tried.
func nodad(address string) []string {
	if strings.Contains(address, ":") {
		return []string{"nodad"}
	}
	return nil
}

// command runs a program in the pod's network.
func (n podNetwork) command(program ...string) []string {
	return append([]string{"ip", "netns", "exec", n.name}, program...)
}

// newWorldAt is newWorld with clouds on another address of the machine.
func newWorldAt(t *testing.T, host string) *world {
	t.Helper()
	w := &world{issuer: issuer.Start(t), dir: t.TempDir()}
	caFile := filepath.Join(t.TempDir(), "clouds-ca.crt")
	certificate, err := cloud.SelfSigned(caFile, host)
	if err != nil {
		t.Fatal(err)
	}
	if w.clouds, err = cloud.Serve(host, certificate, orders.Trust(w.issuer)); err != nil {
		t.Fatal(err)
	}
	w.clouds.CAFile = caFile
	t.Cleanup(func() {
		if err := w.clouds.Close(); err != nil {
			t.Errorf("stop the clouds: %v", err)
		}
	})
	orders.WriteTokens(t, w.issuer, w.dir, nil)
	return w
}

// getsCredentials runs a broker in the pod's network, and Go's SDKs beside it.
func (n podNetwork) getsCredentials(t *testing.T, w *world, variables ...string) {
	t.Helper()
	bin := buildBroker(t)
	b := bin.startIn(t, w, "127.0.0.1:9911", n.command(), variables)
	end := time.Now().Add(30 * time.Second)
	for {
		health := n.command(string(bin), "health", "--listen", b.address)
		out, err := exec.CommandContext(t.Context(), health[0], health[1:]...).CombinedOutput()
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the broker has no credentials: %s; its log:\n%s", out, b.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
	built, err := buildClients()
	if err != nil && built.Go == "" {
		t.Fatal(err)
	}
	sdk := client{name: "go", program: n.command(built.Go)}
	for _, name := range clouds {
		got := sdk.run(t, name, append(b.env(w), variables...))
		if !got.OK || !strings.Contains(got.Identity, identityShown[name]) {
			t.Errorf("%s: %q: %s; the broker's log:\n%s", name, got.Identity, got.Error, b.log)
		}
	}
}

// TestIPv6Only: a pod of an IPv6 cluster has 127.0.0.1 all the same, since that is its
// own loopback's; nothing else of it is IPv4.
func TestIPv6Only(t *testing.T) {
	n := newPodNetwork(t, "fd5e:9911::2/64", "fd5e:9911::1/64")
	routes := n.command("ip", "-4", "route")
	if out, err := exec.CommandContext(t.Context(), routes[0], routes[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("the pod has routes of IPv4: %v %s", err, out)
	}
	n.getsCredentials(t, newWorldAt(t, "fd5e:9911::1"))
}

// TestOnlyWayOutIsAProxy: the clouds have an address to which the pod has no route, and
// a proxy, to which it has one, connects it.
func TestOnlyWayOutIsAProxy(t *testing.T) {
	n := newPodNetwork(t, "10.211.99.2/30", "10.211.99.1/30", "10.211.98.1/32")
	w := newWorldAt(t, "10.211.98.1")
	route := n.command("ip", "route", "get", "10.211.98.1")
	if out, err := exec.CommandContext(t.Context(), route[0], route[1:]...).CombinedOutput(); err == nil {
		t.Fatalf("there is another way: %s", out)
	}
	p := connect.Start(t, "10.211.99.1:0")
	n.getsCredentials(t, w, "HTTPS_PROXY=http://"+p.Address, "NO_PROXY=.corp.example,127.0.0.1")
	connected := p.Connected()
	for _, url := range []string{w.clouds.AWS, w.clouds.GCP, w.clouds.Azure} {
		if host := strings.TrimPrefix(url, "https://"); connected[host] == 0 {
			t.Errorf("%s was not asked for by the proxy: %v", host, connected)
		}
	}
	for host := range connected {
		if strings.HasPrefix(host, "127.") {
			t.Errorf("the proxy was asked for %s", host)
		}
	}
}
