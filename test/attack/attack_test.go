package attack

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/cluster"
)

// patience is how long a pod of somebody else may take beside an attack.
const patience = time.Second

// siege is how long each flood goes on.
const siege = 8 * time.Second

// longestAnswer is more than any answer should take: a patch that etcd would store, in
// base64, and what is said with it.
const longestAnswer = 3 << 20

func TestClusterAttack(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	client := c.Client(t)
	f := newFiles(t)
	r := start(t, c, f)
	r.ready(t, 20*time.Second)
	register(t, client, f, r.url)
	accounts(t, client)
	direct := newCaller(t, f, r.url)

	// Each is tried while somebody else creates pods.
	for _, attack := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"12,000 containers, through the API server", func(t *testing.T) { manyContainers(t, client) }},
		{"12,000 containers, at the port", func(t *testing.T) {
			body := review("Pod", "shop", pod("worst", "three", "", repeat(12000, container)))
			direct.mustAnswer(t, "/mutate", 16, func(int) []byte { return body })
		}},
		{"containers that need everything overridden", func(t *testing.T) {
			body := review("Pod", "shop", pod("worst", "three", `"podpass.io/static-keys":"override"`, repeat(4000, func(i int) string {
				return fmt.Sprintf(`{"name":"c%d","env":[{"name":"AWS_ACCESS_KEY_ID","value":"x"},{"name":"HTTP_PROXY","value":"y"},{"name":"AWS_PROFILE","value":"y"}]}`, i)
			})))
			direct.mustAnswer(t, "/mutate", 16, func(int) []byte { return body })
		}},
		{"reviews of 3 MiB", func(t *testing.T) {
			body := review("Pod", "shop", pod("worst", "orders", "", fmt.Sprintf(`{"name":"app","args":[%q]}`, strings.Repeat("x", 3<<20))))
			direct.mustAnswer(t, "/mutate", 64, func(int) []byte { return body })
		}},
		{"80,000 annotations that nobody knows", func(t *testing.T) {
			annotations := repeat(80000, func(i int) string { return fmt.Sprintf(`"podpass.io/aws-rolf-%d":""`, i) })
			body := review("Pod", "shop", pod("worst", "orders", annotations, container(0)))
			direct.mustAnswer(t, "/mutate", 8, func(int) []byte { return body })
		}},
		{"a name of 1 MiB in 10,000 messages", func(t *testing.T) {
			body := review("Pod", "shop", pod(strings.Repeat("n", 1<<20), "three", `"podpass.io/static-keys":"deny"`, repeat(10000, func(i int) string {
				return fmt.Sprintf(`{"name":"c%d","env":[{"name":"AWS_ACCESS_KEY_ID","value":"x"}]}`, i)
			})))
			direct.mustAnswer(t, "/mutate", 8, func(int) []byte { return body })
		}},
		{"a skip list of 200,000 names", func(t *testing.T) {
			list := strings.Repeat("a,", 200000)
			body := review("Pod", "shop", pod("worst", "three", fmt.Sprintf(`"podpass.io/skip-containers":%q`, list), repeat(10000, container)))
			direct.mustAnswer(t, "/mutate", 8, func(int) []byte { return body })
		}},
		{"JSON that is all depth", func(t *testing.T) {
			body := review("Pod", "shop", strings.Repeat("[", 3<<20))
			direct.mustAnswer(t, "/mutate", 16, func(int) []byte { return body })
		}},
		{"ServiceAccounts with 200,000 annotations", func(t *testing.T) {
			annotations := repeat(100000, func(i int) string { return fmt.Sprintf(`"eks.amazonaws.com/role-arm-%d":"x"`, i) })
			body := review("ServiceAccount", "shop", `{"metadata":{"name":"worst","annotations":{`+annotations+`}}}`)
			direct.mustAnswer(t, "/validate-serviceaccounts", 8, func(int) []byte { return body })
		}},
		{"names of ServiceAccounts that do not exist", func(t *testing.T) { inventedNames(t, r, direct) }},
		{"connections that say nothing, or slowly", func(t *testing.T) { slowCallers(t, r) }},
		{"ServiceAccounts of 250 kB", func(t *testing.T) { largeAccounts(t, client) }},
	} {
		ok := t.Run(attack.name, func(t *testing.T) {
			h := beside(t, client)
			attack.run(t)
			r.alive(t)
			h.within(t, patience)
		})
		if !ok && r.group.Killed(t) > 0 {
			t.Fatal("the webhook is dead: no further attack shows anything")
		}
	}

	t.Run("start with 200 ServiceAccounts of 250 kB", func(t *testing.T) {
		start(t, c, f).ready(t, 20*time.Second)
	})
}

// mustAnswer floods the webhook and looks at the answers: each body gets one, bounded.
func (c *caller) mustAnswer(t *testing.T, path string, goroutines int, body func(int) []byte) {
	t.Helper()
	longest, by := c.flood(t.Context(), path, goroutines, siege, body)
	t.Logf("answers by status: %v, the longest %d bytes", by, longest)
	if len(by) == 0 {
		t.Error("no answer at all within the time of the siege")
	}
	if longest > longestAnswer {
		t.Errorf("an answer of %d bytes", longest)
	}
}

// manyContainers creates the worst pod as anybody may.
func manyContainers(t *testing.T, client kubernetes.Interface) {
	worst := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "worst-", Labels: map[string]string{"podpass.io/inject": "true"}},
		Spec:       corev1.PodSpec{ServiceAccountName: "three"},
	}
	for i := range 12000 {
		worst.Spec.Containers = append(worst.Spec.Containers, corev1.Container{Name: fmt.Sprintf("c%d", i)})
	}
	_, err := client.CoreV1().Pods("shop").Create(t.Context(), worst, metav1.CreateOptions{})
	t.Logf("%.200v", err)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "WI0") {
		t.Errorf("want a denial with a code, got %.300v", err)
	}
}

// inventedNames asks for ever new ServiceAccounts: each would be a read of the API server.
func inventedNames(t *testing.T, r *replica, direct *caller) {
	before := r.metric(t, "podpass_webhook_live_reads_total")
	_, by := direct.flood(t.Context(), "/mutate", 32, siege, func(n int) []byte {
		return review("Pod", "shop", pod("p", fmt.Sprintf("invented-%d", n), "", container(0)))
	})
	reads := r.metric(t, "podpass_webhook_live_reads_total") - before
	asked := 0
	for _, n := range by {
		asked += n
	}
	t.Logf("%d reviews (by status: %v) made %.0f reads of the API server, %.0f a second", asked, by, reads, reads/siege.Seconds())
	if perSecond := reads / siege.Seconds(); perSecond > 100 {
		t.Errorf("the webhook passes the flood on: %.0f reads of the API server a second", perSecond)
	}
}

// slowCallers hold connections: silent ones, ones that trickle a body, ones that announce
// a large one and send nothing.
func slowCallers(t *testing.T, r *replica) {
	ctx, cancel := context.WithTimeout(t.Context(), siege)
	defer cancel()
	var wg sync.WaitGroup
	address := strings.TrimPrefix(r.url, "https://")
	for i := range 600 {
		wg.Go(func() {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", address)
			if err != nil {
				return
			}
			defer conn.Close()
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			if i%3 == 0 {
				_, _ = io.Copy(io.Discard, conn) // silent, before TLS
				return
			}
			secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // an attacker does not care
			_, err = fmt.Fprintf(secure, "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", 3<<20)
			for err == nil && i%3 == 1 {
				time.Sleep(100 * time.Millisecond)
				_, err = secure.Write(bytes.Repeat([]byte(" "), 1024))
			}
			_, _ = io.Copy(io.Discard, secure)
		})
	}
	wg.Wait()
}

// largeAccounts creates 200 of them, with a key that means nothing to podpass and one that does.
func largeAccounts(t *testing.T, client kubernetes.Interface) {
	value := strings.Repeat("x", 250_000)
	for i := range 200 {
		key := "example.com/blob"
		if i%2 == 0 {
			key = "eks.amazonaws.com/role-arn"
		}
		_, err := client.CoreV1().ServiceAccounts("large").Create(t.Context(), &corev1.ServiceAccount{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("large-%d", i), Annotations: map[string]string{key: value}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// accounts are those that honest and worst pods use.
func accounts(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	for _, namespace := range []string{"shop", "large"} {
		if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	role := "arn:aws:iam::111122223333:role/orders"
	for name, annotations := range map[string]map[string]string{
		"orders": {"eks.amazonaws.com/role-arn": role},
		"three": {
			"eks.amazonaws.com/role-arn":        role,
			"podpass.io/gcp-provider":           "projects/1234567890/locations/global/workloadIdentityPools/pool/providers/cluster",
			"azure.workload.identity/client-id": "11111111-2222-3333-4444-555555555555",
			"azure.workload.identity/tenant-id": "66666666-7777-8888-9999-000000000000",
		},
	} {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}}
		if _, err := client.CoreV1().ServiceAccounts("shop").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// register tells the API server of the webhook, failing closed, and waits until it asks.
func register(t *testing.T, client kubernetes.Interface, f files, url string) {
	t.Helper()
	ca, err := os.ReadFile(f.certificate)
	if err != nil {
		t.Fatal(err)
	}
	fail, none, url := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone, url+"/mutate/opted-in"
	_, err = client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "podpass"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "pods.podpass.io", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("register %s (CA %.20s): %v", url, base64.StdEncoding.EncodeToString(ca), err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		probe := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: map[string]string{"podpass.io/inject": "neither"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:1"}}},
		}
		_, err := client.CoreV1().Pods("default").Create(t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil && strings.Contains(err.Error(), "WI037") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the webhook is not asked: %v", err)
		}
	}
}
