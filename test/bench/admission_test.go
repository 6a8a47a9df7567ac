package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/program"
)

const (
	allAccounts       = 100_000
	annotatedAccounts = 5_000
	accountNamespaces = 200
	reviews           = 20_000
)

// BenchmarkAdmission runs the real webhook against a real API server with 100,000
// ServiceAccounts: its memory and start beside those of a plain informer, and its
// reviews over TLS beside those of a bare server that answers the same bytes.
func BenchmarkAdmission(b *testing.B) {
	cluster.Require(b, cluster.Options{ControlPlaneOnly: true})
	dir := b.TempDir()
	for name, pkg := range map[string]string{"podpass-webhook": "../../cmd/podpass-webhook", "informer": "./informer", "bare": "./bare"} {
		build(b, filepath.Join(dir, name), pkg)
	}
	c := cluster.Start(b, cluster.Options{Dir: filepath.Join(dir, "kube"), ControlPlaneOnly: true, Log: io.Discard})
	fill(b, c)
	for b.Loop() { // one run says it all: it is not the loop that is timed
	}

	informer := exec.CommandContext(b.Context(), filepath.Join(dir, "informer"))
	informer.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	synced := make(chan struct{})
	informer.Stdout = &waiter{text: "synced", done: synced}
	plain, took := launch(b, informer, func() bool { return closed(synced) })
	b.ReportMetric(took.Seconds(), "informer-start-s")
	reportMemory(b, plain, "informer-")

	w := newAdmission(b, dir)
	webhook := exec.CommandContext(b.Context(), filepath.Join(dir, "podpass-webhook"), "--kubeconfig", c.Kubeconfig, "--config", w.config,
		"--tls-cert", w.cert, "--tls-key", w.key, "--listen", w.address, "--probe-listen", w.probes, "--shutdown-delay", "0s")
	podpass, took := launch(b, webhook, func() bool { return ready("http://" + w.probes) })
	b.ReportMetric(took.Seconds(), "start-s")
	reportMemory(b, podpass, "")

	answer := w.review(b, w.client(), w.address)
	file := filepath.Join(dir, "answer")
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		b.Fatal(err)
	}
	bareAddress := program.Address(b)
	server := exec.CommandContext(b.Context(), filepath.Join(dir, "bare"))
	server.Env = append(os.Environ(), "LISTEN="+bareAddress, "TLS_CERT="+w.cert, "TLS_KEY="+w.key, "ANSWER="+file)
	bare, _ := launch(b, server, func() bool {
		conn, err := net.Dial("tcp", bareAddress)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	for _, connections := range []int{1, 8} {
		for _, s := range []struct {
			name, address string
			process
		}{{"", w.address, podpass}, {"bare-", bareAddress, bare}} {
			before := s.cpuTime(b)
			latencies := w.load(b, s.address, connections)
			at := fmt.Sprintf("@%d", connections)
			b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds()), s.name+"p50-us"+at)
			b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds()), s.name+"p99-us"+at)
			b.ReportMetric((s.cpuTime(b)-before).Seconds()*1000/(reviews/1000), s.name+"cpu-ms/1000"+at)
		}
	}
	rss, _ := podpass.memory(b)
	b.ReportMetric(rss, "loaded-RSS-MiB")
	b.ReportMetric(0, "ns/op") // means nothing here
}

// fill creates the ServiceAccounts, and the one that the review is about.
func fill(b *testing.B, c *cluster.Cluster) {
	b.Helper()
	config := c.Config(b)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	create := func(namespace, name string, annotations map[string]string) {
		sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations, Labels: map[string]string{
			"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm", // as charts write them
		}}}
		if _, err := client.CoreV1().ServiceAccounts(namespace).Create(b.Context(), sa, metav1.CreateOptions{}); err != nil {
			b.Error(err)
		}
	}
	namespace := func(i int) string { return fmt.Sprintf("team-%d", i%accountNamespaces) }
	for _, n := range append([]string{"shop"}, namespaces(namespace)...) {
		if _, err := client.CoreV1().Namespaces().Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	create("shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders.AWSRole})
	var wg sync.WaitGroup
	for worker := range 32 {
		wg.Go(func() {
			for i := worker; i < allAccounts && b.Context().Err() == nil; i += 32 {
				annotations := map[string]string{"meta.helm.sh/release-name": "app", "meta.helm.sh/release-namespace": namespace(i)}
				if i%(allAccounts/annotatedAccounts) == 0 {
					annotations["eks.amazonaws.com/role-arn"] = fmt.Sprintf("arn:aws:iam::111122223333:role/team/app-%d", i)
				}
				create(namespace(i), fmt.Sprintf("app-%d", i), annotations)
			}
		})
	}
	wg.Wait()
}

func namespaces(name func(int) string) []string {
	var all []string
	for i := range accountNamespaces {
		all = append(all, name(i))
	}
	return all
}

// launch starts a process, and gives it and the time until it was ready.
func launch(b *testing.B, cmd *exec.Cmd, ready func() bool) (process, time.Duration) {
	b.Helper()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone
		_ = cmd.Wait()                          // its exit code says nothing here
	})
	for !ready() {
		if time.Since(began) > time.Minute {
			b.Fatalf("%s is not ready after a minute", cmd.Path)
		}
		time.Sleep(time.Millisecond)
	}
	return process(cmd.Process.Pid), time.Since(began)
}

// reportMemory waits until a process has come to rest.
func reportMemory(b *testing.B, p process, name string) {
	b.Helper()
	time.Sleep(10 * time.Second)
	rss, private := p.memory(b)
	b.ReportMetric(rss, name+"RSS-MiB")
	b.ReportMetric(private, name+"private-MiB")
	b.ReportMetric(p.peak(b), name+"peak-MiB")
}

// waiter closes done when text has been written to it.
type waiter struct {
	text string
	done chan struct{}
	got  bytes.Buffer
}

func (w *waiter) Write(p []byte) (int, error) {
	w.got.Write(p)
	if strings.Contains(w.got.String(), w.text) && !closed(w.done) {
		close(w.done)
	}
	return len(p), nil
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// admission is what a webhook outside of a cluster needs, and its client.
type admission struct {
	config, cert, key, address, probes string
	roots                              *x509.CertPool
}

func newAdmission(b *testing.B, dir string) admission {
	b.Helper()
	certificate, key := program.Certificate(b)
	a := admission{
		config: filepath.Join(dir, "config.yaml"), cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key"),
		address: program.Address(b), probes: program.Address(b), roots: x509.NewCertPool(),
	}
	a.roots.AppendCertsFromPEM(certificate)
	for name, content := range map[string][]byte{
		a.config: []byte("broker: {image: podpass-broker:1}\naws: {region: eu-central-1}\n"),
		a.cert:   certificate, a.key: key,
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return a
}

// client has one connection, over HTTP/2, as API servers have.
func (a admission) client() *http.Client {
	return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12}}}
}

func (a admission) review(b *testing.B, c *http.Client, address string) []byte {
	b.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.Context()), http.MethodPost, "https://"+address+"/mutate", bytes.NewReader(review()))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte("JSONPatch")) {
		b.Fatalf("%s %s %v", resp.Status, answer, err)
	}
	return answer
}

// load makes reviews over a number of connections, and gives their sorted latencies.
func (a admission) load(b *testing.B, address string, connections int) []time.Duration {
	b.Helper()
	perConnection := make([][]time.Duration, connections)
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() {
			c := a.client()
			defer c.CloseIdleConnections()
			for range reviews / connections {
				began := time.Now()
				a.review(b, c, address)
				perConnection[i] = append(perConnection[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(perConnection...)
	slices.Sort(all)
	return all
}
