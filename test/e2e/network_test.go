package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/connect"
	"github.com/podpass-io/podpass/test/testbed"
)

// network is the way from new pods to AWS's stand-in. It is closed, in the kernel, until
// a pod's proxy opens it for its pod, as where a mesh's CNI plugin has redirected the
// traffic to a proxy that does not run yet.
type network struct {
	proxy string // host:port that proxies' startup probes ask
	opens atomic.Int64
}

// proxyTakes is how long a proxy takes to have a network: more than a broker waits for its
// first answer.
const proxyTakes = 8 * time.Second

// way adds and deletes rules of the kernel for the way to AWS's stand-in: without a match
// all is dropped, what matches is let pass.
type way func(operation string, match ...string) error

func (w way) must(t *testing.T, operation string, match ...string) {
	t.Helper()
	if err := w(operation, match...); err != nil {
		t.Error(err)
	}
}

// closeAWS closes the way for the time of the test.
func closeAWS(t *testing.T) way {
	t.Helper()
	aws, err := url.Parse(bed.Clouds.AWS)
	if err != nil {
		t.Fatal(err)
	}
	w := way(func(operation string, match ...string) error {
		args := append([]string{"-w", operation, "INPUT"}, match...)
		args = append(args, "-p", "tcp", "-d", bed.GatewayIP, "--dport", aws.Port())
		target := "DROP"
		if len(match) > 0 {
			target = "ACCEPT"
		}
		out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "iptables", append(args, "-j", target)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("iptables %v: %w: %s", args, err, out)
		}
		return nil
	})
	w.must(t, "-I")
	t.Cleanup(func() { w.must(t, "-D") })
	return w
}

// closedNetwork closes the way for the time of the test.
func closedNetwork(t *testing.T) *network {
	t.Helper()
	way := closeAWS(t)
	// A probe of another host than the pod's own is not restricted's, nor baseline's.
	enforce := func(level string) {
		if _, err := bed.Kubectl(context.WithoutCancel(t.Context()), "label", "namespace", namespace, "--overwrite", "pod-security.kubernetes.io/enforce="+level); err != nil {
			t.Error(err)
		}
	}
	enforce("privileged")
	t.Cleanup(func() { enforce("restricted") })

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(bed.GatewayIP, "0"))
	if err != nil {
		t.Fatal(err)
	}
	n := &network{proxy: listener.Addr().String()}
	first := map[string]time.Time{}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pod := strings.TrimPrefix(r.URL.Path, "/")
		if first[pod].IsZero() {
			first[pod] = time.Now()
		}
		if time.Since(first[pod]) < proxyTakes {
			http.Error(w, "the proxy has no configuration yet", http.StatusServiceUnavailable)
			return
		}
		ip, err := bed.Kubectl(r.Context(), "get", "pod", pod, "-n", namespace, "-o", "jsonpath={.status.podIP}")
		if err == nil && ip != "" {
			err = way("-I", "-s", ip)
		}
		if err != nil || ip == "" {
			http.Error(w, fmt.Sprint(ip, err), http.StatusServiceUnavailable)
			return
		}
		t.Cleanup(func() { way.must(t, "-D", "-s", ip) })
		n.opens.Add(1)
	})}
	server.SetKeepAlivesEnabled(false)
	go func() { _ = server.Serve(listener) }() // until the test closes it
	t.Cleanup(func() { _ = server.Close() })
	return n
}

// meshed gives a pod init containers as a mesh with its CNI plugin does: what checks the
// redirection, and a proxy that is a native sidecar.
func (n *network) meshed(p pod, proxy string) string {
	host, port, _ := net.SplitHostPort(n.proxy)
	const common = `
      imagePullPolicy: Never
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 200m, memory: 64Mi}}`
	inits := `  initContainers:
    - name: istio-validation
      image: podpass.io/podpass-broker:dev
      args: [version]` + common + `
    - name: ` + proxy + `
      image: podpass.io/pause:dev
      restartPolicy: Always
      startupProbe: {httpGet: {host: "` + host + `", port: ` + port + `, path: /` + p.name + `}, periodSeconds: 1, failureThreshold: 60}` + common + `
    - name: migrate
      image: ` + testbed.GoSDKImage + `
      args: [` + p.check + `]
      envFrom: [{configMapRef: {name: clouds}}]
      volumeMounts: [{name: clouds, mountPath: /etc/clouds, readOnly: true}]` + common + `
`
	return strings.Replace(p.manifest(), "  containers:\n", inits+"  containers:\n", 1)
}

// TestNetworkOfALaterSidecar: the broker starts behind the proxy that the network comes
// with. Its first exchange succeeds, the pod's own init container has credentials, and a
// strict start is ready.
func TestNetworkOfALaterSidecar(t *testing.T) {
	require(t)
	n := closedNetwork(t)
	start(t,
		n.meshed(pod{name: "meshed", serviceAccount: "aws", sdk: "go", check: "aws", annotations: strictStart}, "istio-proxy"),
		n.meshed(pod{name: "named", serviceAccount: "aws", sdk: "go", check: "aws", annotations: strictStart + ", podpass.io/broker-after: vpn"}, "vpn"),
	)
	got := outcomes(t)
	for _, name := range []string{"meshed", "named"} {
		for _, container := range []string{"migrate", "app"} {
			if o := got[name+"/"+container+"/aws"]; !o.OK {
				t.Errorf("%s %s: %q", name, container, o.Error)
			}
		}
		log, err := bed.Kubectl(t.Context(), "logs", name, "-c", "podpass-broker", "-n", namespace)
		if err != nil || strings.Contains(log, "Exchange failed") || !strings.Contains(log, "Got credentials") {
			t.Errorf("%s: the broker's first exchange: %v\n%s", name, err, log)
		}
		if restarts := brokerStatus(t, name).RestartCount; restarts != 0 {
			t.Errorf("%s: the broker was started again %d times", name, restarts)
		}
	}
	if opens := n.opens.Load(); opens < 2 {
		t.Errorf("the network was opened %d times: it was not what the pods waited for", opens)
	}
}

// TestNetworkThatIsNotKnown: a proxy that nobody names. The broker is before it and has no
// network; the pod starts all the same, and has credentials soon after there is one.
func TestNetworkThatIsNotKnown(t *testing.T) {
	require(t)
	n := closedNetwork(t)
	manifest := n.meshed(pod{name: "unknown", serviceAccount: "aws", sdk: "go", check: "aws"}, "vpn")
	inits, app, _ := strings.Cut(manifest, "  containers:\n")
	inits, _, _ = strings.Cut(inits, "    - name: migrate\n") // it would end with what is true then: no credentials
	start(t, strings.Replace(inits+"  containers:\n"+app, "restartPolicy: Never", "restartPolicy: OnFailure", 1))
	for end := time.Now().Add(3 * time.Minute); ; pause(t, 500*time.Millisecond) {
		phase, err := bed.Kubectl(t.Context(), "get", "pod", "unknown", "-n", namespace, "-o", "jsonpath={.status.phase}")
		if err != nil {
			t.Fatal(err)
		}
		if phase == "Succeeded" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the pod is %s", phase)
		}
	}
	log, err := bed.Kubectl(t.Context(), "logs", "unknown", "-c", "podpass-broker", "-n", namespace)
	if err != nil || !strings.Contains(log, "Exchange failed") {
		t.Errorf("the broker had a network all the time: %v\n%s", err, log)
	}
}

// TestOnlyWayOutIsAProxy: pods reach AWS by a proxy alone, which the installation names, and
// the application's own variable. Both go that way, and the SDK past it to the broker.
func TestOnlyWayOutIsAProxy(t *testing.T) {
	require(t)
	proxy := connect.Start(t, net.JoinHostPort(bed.GatewayIP, "0"))
	aws := strings.TrimPrefix(bed.Clouds.AWS, "https://")
	w := closeAWS(t)
	w.must(t, "-I", "-i", "lo") // the proxy runs on the machine itself
	t.Cleanup(func() { w.must(t, "-D", "-i", "lo") })
	t.Cleanup(func() {
		if err := install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if err := install(t.Context(), "--set", "broker.proxy.https=http://"+proxy.Address); err != nil {
		t.Fatal(err)
	}
	env := fmt.Sprintf("[{name: HTTPS_PROXY, value: %q}, {name: HTTP_PROXY, value: %[1]q}]", "http://"+proxy.Address)
	start(t, pod{name: "proxied", serviceAccount: "aws", sdk: "go", check: "aws", env: env}.manifest())
	if o := outcomes(t)["proxied/app/aws"]; !o.OK {
		t.Errorf("%q", o.Error)
	}
	connected := proxy.Connected()
	if connected[aws] < 2 || len(connected) != 1 { // the broker's exchange, the SDK's call
		t.Errorf("the proxy was asked for %v, want %s alone", connected, aws)
	}
}

type containerStatus struct {
	Name         string
	RestartCount int
}

func brokerStatus(t *testing.T, pod string) containerStatus {
	t.Helper()
	raw, err := bed.Kubectl(t.Context(), "get", "pod", pod, "-n", namespace, "-o", "jsonpath={.status.initContainerStatuses}")
	if err != nil {
		t.Fatal(err)
	}
	var list []containerStatus
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == "podpass-broker" {
			return s
		}
	}
	t.Fatalf("%s has no broker: %s", pod, raw)
	return containerStatus{}
}
