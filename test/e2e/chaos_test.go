package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/podpass-io/podpass/test/testbed"
)

const (
	chaosNamespace = "chaos"
	chaosAccount   = "chaos"
	caSecret       = "podpass-webhook-ca"
	// chaosRate is pods a second: each is created by dry-run, then really.
	chaosRate = 50
)

// chaosPod is gated: admitted like any other, and never scheduled.
func chaosPod(name string, optedIn bool) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: chaosNamespace, Labels: map[string]string{"test": "chaos"}},
		Spec: corev1.PodSpec{
			ServiceAccountName: chaosAccount,
			SchedulingGates:    []corev1.PodSchedulingGate{{Name: "podpass.io/never"}},
			Containers:         []corev1.Container{{Name: "app", Image: "app:1"}},
		},
	}
	if optedIn {
		p.Labels["podpass.io/inject"] = "true"
	}
	return p
}

// tally is what became of the pods.
type tally struct {
	mu                              sync.Mutex
	created, optedIn, missed, away  int
	rejected, unmutated, unexpected []string
}

// create creates a pod by dry-run, then really, and removes it.
func (y *tally) create(ctx context.Context, client kubernetes.Interface, i int) {
	pods := client.CoreV1().Pods(chaosNamespace)
	optedIn := i%2 == 0
	for _, dryRun := range [][]string{{metav1.DryRunAll}, nil} {
		p, err := pods.Create(ctx, chaosPod(fmt.Sprintf("pod-%d", i), optedIn), metav1.CreateOptions{DryRun: dryRun})
		y.count(p, err, optedIn)
		if err == nil && dryRun == nil {
			if err := pods.Delete(context.WithoutCancel(ctx), p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
				y.count(p, err, optedIn)
			}
		}
	}
}

func (y *tally) count(p *corev1.Pod, err error, optedIn bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case err == nil:
		y.created++
		_, injected := p.Labels["podpass.io/injected"]
		switch {
		case optedIn && !injected:
			y.unmutated = append(y.unmutated, p.Name)
		case !injected:
			y.missed++
		}
		if optedIn {
			y.optedIn++
		}
	case strings.Contains(err.Error(), "podpass") || strings.Contains(err.Error(), "webhook"):
		y.rejected = append(y.rejected, err.Error())
	case unreachable(err):
		y.away++
	default:
		y.unexpected = append(y.unexpected, err.Error())
	}
}

// unreachable reports whether the API server itself was away, or coming up.
func unreachable(err error) bool {
	for _, text := range []string{"connection refused", "connection reset", "EOF", "http2: ", "not yet ready to handle request", "apiserver is shutting down", "Service Unavailable", "forbidden: User"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// TestChaos: 50 pods a second, while everything that the webhook stands on is taken
// away from it, one after the other. None is rejected by podpass, and none that opted
// in is admitted without its identity.
func TestChaos(t *testing.T) {
	require(t)
	client := bed.Client(t)
	if err := bed.Install(t.Context()); err != nil { // as people do
		t.Fatal(err)
	}
	setUpChaos(t, client)
	backup := certificateSecret(t, client)
	first := string(backup.Data["ca.crt"])
	before := restarted(t, client)

	ctx, stop := context.WithCancel(t.Context())
	y := new(tally)
	done := make(chan struct{})
	go func() {
		defer close(done)
		load(ctx, client, y, chaosRate)
	}()
	phase := func(name string, do func()) {
		y.mu.Lock()
		created, rejected := y.created, len(y.rejected)
		y.mu.Unlock()
		start := time.Now()
		do()
		y.mu.Lock()
		defer y.mu.Unlock()
		t.Logf("%-42s %6.1fs  %5d admitted, %d rejected", name, time.Since(start).Seconds(), y.created-created, len(y.rejected)-rejected)
	}
	phase("nothing", func() { pause(t, 3*time.Second) })
	phase("the CA's Secret is deleted: rotation begins", func() {
		if err := client.CoreV1().Secrets(testbed.Namespace).Delete(t.Context(), caSecret, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		pause(t, 12*time.Second)
	})
	phase("the Deployments are rolled", func() {
		kubectl(t, "rollout", "restart", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace)
		kubectl(t, "rollout", "status", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, "--timeout=2m")
		pause(t, 12*time.Second) // until the last old replica has gone
	})
	for i := range 2 { // each once: kubelet lets one that ends twice wait
		phase(fmt.Sprintf("a replica is killed with SIGKILL (%d)", i+1), func() {
			kill(t)
			for end := time.Now().Add(time.Minute); restarted(t, client) != before+i+1; pause(t, 200*time.Millisecond) {
				if time.Now().After(end) {
					t.Error("the replica has not come back")
					break
				}
			}
			pause(t, 3*time.Second)
		})
	}
	phase("the API server restarts", func() {
		if err := bed.Restart(t.Context(), "kube-apiserver", true); err != nil {
			t.Error(err)
		}
		pause(t, 5*time.Second)
	})
	phase("the rotation ends", func() { rotated(t, client, first) })
	phase("the CA's Secret is restored from a backup", func() {
		edit(t, client, func(s *corev1.Secret) { s.Data, s.Annotations = backup.Data, backup.Annotations })
		pause(t, 2*time.Minute) // the replicas have signed with the old CA again
		if now := certificateAuthority(t, client); now != first {
			t.Error("the restored CA has not been left in the Secret")
		}
	})
	phase("the CA's Secret is edited to garbage", func() {
		edit(t, client, func(s *corev1.Secret) { s.Data = map[string][]byte{"ca.crt": []byte("garbage")} })
		pause(t, time.Second)
		if now := certificateAuthority(t, client); now != first {
			t.Error("the CA in use has not been put back")
		}
		rotated(t, client, first)
	})
	phase("the old CA's trust is ended by hand", func() {
		kubectl(t, "rollout", "restart", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace)
		kubectl(t, "rollout", "status", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, "--timeout=2m")
		distrust(t, client, first)
		pause(t, 20*time.Second) // the replicas have looked at the registrations again
		if trusted(t, client, first) {
			t.Error("a CA that was taken out of the registrations is back")
		}
	})
	phase("the caBundle is emptied", func() {
		for range 3 {
			for _, kind := range []string{"mutatingwebhookconfiguration", "validatingwebhookconfiguration"} {
				kubectl(t, "patch", kind, "podpass", "--type=json", "-p", `[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]`)
			}
			pause(t, 3*time.Second)
		}
	})
	stop()
	<-done

	t.Logf("%d admissions, %d of pods that opted in; rejected by podpass: %d; opted in and not injected: %d; did not opt in and were missed: %d; API server away: %d",
		y.created, y.optedIn, len(y.rejected), len(y.unmutated), y.missed, y.away)
	for what, list := range map[string][]string{"rejected by podpass": y.rejected, "opted in and not injected": y.unmutated, "unexpected": y.unexpected} {
		if len(list) > 0 {
			t.Errorf("%s: %d, the first: %s", what, len(list), list[0])
		}
	}
}

// TestAllReplicasDown: pods that opted in are refused with an error that names podpass; others
// start without their identity, and appear in the audit when podpass is back.
func TestAllReplicasDown(t *testing.T) {
	require(t)
	client := bed.Client(t)
	setUpChaos(t, client)
	scale := func(n int) {
		kubectl(t, "scale", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, fmt.Sprintf("--replicas=%d", n))
	}
	t.Cleanup(func() {
		scale(1)
		if err := bed.WaitInjecting(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	scale(0)
	kubectl(t, "wait", "pods", "-n", testbed.Namespace, "-l", "app.kubernetes.io/component=webhook", "--for=delete", "--timeout=1m")

	pods := client.CoreV1().Pods(chaosNamespace)
	_, err := pods.Create(t.Context(), chaosPod("opted-in", true), metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), `failed calling webhook "opted-in.podpass.io"`) {
		t.Errorf("the pod that opted in: %v", err)
	}
	t.Log("opted in:", err)
	passed, err := pods.Create(t.Context(), chaosPod("passed", false), metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("a pod that did not opt in is held up: %v", err)
	}
	if _, ok := passed.Labels["podpass.io/injected"]; ok {
		t.Fatal("injected by whom?")
	}

	scale(1)
	kubectl(t, "rollout", "status", "deployment", "-l", "app.kubernetes.io/name=podpass", "-n", testbed.Namespace, "--timeout=2m")
	for end := time.Now().Add(time.Minute); ; pause(t, 500*time.Millisecond) {
		events, err := client.CoreV1().Events(chaosNamespace).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=CloudIdentityMissing,involvedObject.name=passed"})
		if err != nil {
			t.Fatal(err)
		}
		if len(events.Items) == 1 {
			t.Log("passed:", events.Items[0].Message)
			return
		}
		if time.Now().After(end) {
			t.Fatal("the audit says nothing of the pod that passed")
		}
	}
}

func setUpChaos(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	if err := bed.Apply(t.Context(), "", fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: %[2]s, namespace: %[1]s, annotations: {eks.amazonaws.com/role-arn: %[3]q}}
`, chaosNamespace, chaosAccount, testbed.AWSRole)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := client.CoreV1().Pods(chaosNamespace).DeleteCollection(context.WithoutCancel(t.Context()),
			metav1.DeleteOptions{GracePeriodSeconds: new(int64)}, metav1.ListOptions{})
		if err != nil {
			t.Error(err)
		}
	})
}

// load creates pods, so many a second if there is room, until ctx ends, and waits for the
// last.
func load(ctx context.Context, client kubernetes.Interface, y *tally, rate int) {
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	// A machine that is not fast enough gets fewer a second, rather than an API server
	// that drowns.
	room := make(chan struct{}, 2*rate)
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			room <- struct{}{}
			wg.Go(func() {
				defer func() { <-room }()
				// A request that is under way when the load ends is to end too.
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
				defer cancel()
				y.create(ctx, client, i)
			})
		}
	}
}

// kill ends the oldest of the webhook's processes, on this machine, by SIGKILL.
func kill(t *testing.T) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	oldest := 0
	var since time.Time
	for _, f := range processes {
		raw, err := os.ReadFile(f)
		if err != nil || !strings.HasPrefix(string(raw), "/podpass-webhook\x00") {
			continue // it has ended, or is another
		}
		var pid int
		info, err := os.Stat(filepath.Dir(f))
		if _, scanErr := fmt.Sscanf(f, "/proc/%d/", &pid); scanErr != nil || err != nil {
			continue
		}
		if oldest == 0 || info.ModTime().Before(since) {
			oldest, since = pid, info.ModTime()
		}
	}
	if oldest == 0 {
		t.Error("no process of the webhook")
		return
	}
	if err := syscall.Kill(oldest, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// restarted is how often kubelet has restarted the webhook's containers, if all of
// them are ready; otherwise -1.
func restarted(t *testing.T, client kubernetes.Interface) int {
	t.Helper()
	list, err := client.CoreV1().Pods(testbed.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=webhook"})
	if err != nil {
		t.Error(err)
		return -1
	}
	n := 0
	for _, p := range list.Items {
		for _, s := range p.Status.ContainerStatuses {
			if !s.Ready {
				return -1
			}
			n += int(s.RestartCount)
		}
	}
	return n
}

func certificateSecret(t *testing.T, client kubernetes.Interface) *corev1.Secret {
	t.Helper()
	secret, err := client.CoreV1().Secrets(testbed.Namespace).Get(t.Context(), caSecret, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// certificateAuthority is the CA that signs, "" while there is none.
func certificateAuthority(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	secret, err := client.CoreV1().Secrets(testbed.Namespace).Get(t.Context(), caSecret, metav1.GetOptions{})
	if err != nil {
		return ""
	}
	return string(secret.Data["ca.crt"])
}

// edit changes the CA's Secret, whoever else does at the same time.
func edit(t *testing.T, client kubernetes.Interface, change func(*corev1.Secret)) {
	t.Helper()
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		secret := certificateSecret(t, client)
		change(secret)
		_, err := client.CoreV1().Secrets(testbed.Namespace).Update(t.Context(), secret, metav1.UpdateOptions{})
		return err
	}); err != nil {
		t.Error(err)
	}
}

// distrust takes a CA out of all entries of each registration, in one write each.
func distrust(t *testing.T, client kubernetes.Interface, ca string) {
	t.Helper()
	registrations := client.AdmissionregistrationV1()
	without := func(bundle []byte) []byte { return []byte(strings.ReplaceAll(string(bundle), ca, "")) }
	for _, change := range []func() error{
		func() error {
			r, err := registrations.MutatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
			if err != nil {
				return err
			}
			for i := range r.Webhooks {
				r.Webhooks[i].ClientConfig.CABundle = without(r.Webhooks[i].ClientConfig.CABundle)
			}
			_, err = registrations.MutatingWebhookConfigurations().Update(t.Context(), r, metav1.UpdateOptions{})
			return err
		},
		func() error {
			r, err := registrations.ValidatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
			if err != nil {
				return err
			}
			for i := range r.Webhooks {
				r.Webhooks[i].ClientConfig.CABundle = without(r.Webhooks[i].ClientConfig.CABundle)
			}
			_, err = registrations.ValidatingWebhookConfigurations().Update(t.Context(), r, metav1.UpdateOptions{})
			return err
		},
	} {
		if err := retry.RetryOnConflict(retry.DefaultRetry, change); err != nil {
			t.Error(err)
		}
	}
}

// trusted reports whether an entry that is asked about pods trusts a CA.
func trusted(t *testing.T, client kubernetes.Interface, ca string) bool {
	t.Helper()
	r, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Webhooks {
		if strings.Contains(string(w.ClientConfig.CABundle), ca) {
			return true
		}
	}
	return false
}

// rotated waits until another CA than old signs, for every replica.
func rotated(t *testing.T, client kubernetes.Interface, old string) {
	t.Helper()
	stillOld := func() bool { now := certificateAuthority(t, client); return now == "" || now == old }
	for end := time.Now().Add(3 * time.Minute); stillOld(); pause(t, time.Second) {
		if time.Now().After(end) {
			t.Error("the CA is still the old one")
			return
		}
	}
	pause(t, time.Minute) // the replicas sign, and the API server meets the new leaves
}

// kubectl gives what it says; an error is the test's, which goes on.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := bed.Kubectl(context.WithoutCancel(t.Context()), args...)
	if err != nil {
		t.Error(err)
	}
	return out
}

func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}
