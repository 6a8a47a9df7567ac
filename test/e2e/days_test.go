package e2e

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/testbed"
)

// daysRate is pods a second, each created twice: enough that no moment of an upgrade is
// without one, on a machine that also starts replicas.
const daysRate = 10

const (
	installed = "podpass" // the release
	ofThis    = "broker.image.tag=" + testbed.ThisRelease
	ofLast    = "broker.image.tag=" + testbed.LastReleaseTag
)

// TestDays: what is done to an installation after its first day, while pods are created:
// none is refused, and none that opted in starts without its identity.
func TestDays(t *testing.T) {
	require(t)
	client := bed.Client(t)
	chart, err := bed.LoadLastRelease(t.Context())
	if errors.Is(err, testbed.ErrNoHistory) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := bed.Install(t.Context()); err != nil { // as people do
		t.Fatal(err)
	}
	setUpChaos(t, client)
	t.Cleanup(func() {
		if err := install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	last := func(broker string) func() error {
		return func() error {
			return bed.InstallChart(t.Context(), chart, "--set", "image.tag="+testbed.LastReleaseTag, "--set", broker)
		}
	}
	this := func(sets ...string) func() error {
		return func() error { return bed.Install(t.Context(), "--set", strings.Join(sets, ",")) }
	}
	uninstall := func() error {
		_, err := bed.Helm(t.Context(), "uninstall", installed, "-n", testbed.Namespace, "--wait")
		return err
	}

	// Without podpass whoever opted in is admitted as it is, and nobody refused.
	refusesNone(t, under(t, client, "uninstall", uninstall))
	leavesNothing(t)

	// The first installation of a cluster refuses those that opted in until a replica is
	// ready: that is their wish. So nothing is counted here.
	if err := last(ofLast)(); err != nil {
		t.Fatal(err)
	}
	start(t, idle("old", "aws"))
	ready(t, "old")

	keepsAll(t, under(t, client, "upgrade to this release", this(ofLast)))
	first := certificateAuthority(t, client)
	if err := client.CoreV1().Secrets(testbed.Namespace).Delete(t.Context(), caSecret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	apply(t, pod{name: "new-webhook-old-broker", serviceAccount: "all-clouds", sdk: "go", check: "all"}.manifest())
	keepsAll(t, under(t, client, "the CA is replaced", func() error { return replaced(t, client, first) }))
	keepsAll(t, under(t, client, "three replicas", this(ofThis, "replicas=3")))
	keepsAll(t, under(t, client, "one replica", this(ofThis, "replicas=1")))

	// Helm renders no CA, so that none comes back with the manifest of that day.
	keepsAll(t, under(t, client, "rollback to the last release", func() error {
		if _, err := bed.Helm(t.Context(), "rollback", installed, "1", "-n", testbed.Namespace, "--wait"); err != nil {
			return err
		}
		return bed.WaitInjecting(t.Context())
	}))
	if now := certificateAuthority(t, client); now == first || !trusted(t, client, now) {
		t.Error("the rollback brought back the CA that was replaced, or its trust")
	}
	keepsAll(t, under(t, client, "the last release with this one's sidecar", last(ofThis)))
	apply(t, pod{name: "old-webhook-new-broker", serviceAccount: "all-clouds", sdk: "go", check: "all"}.manifest())
	bothServe(t)

	keepsAll(t, under(t, client, "upgrade again", this(ofThis)))
	// The pod of the first day has lived through all of it; its broker answers.
	if codes, text := diagnose(t, "old"); !slices.Equal(codes, []string{"WI147"}) {
		t.Errorf("podpass doctor of the pod of the last release: %v, want WI147, that its sidecar is another release's: %s", codes, text)
	}
	refusesNone(t, under(t, client, "uninstall", uninstall))
	leavesNothing(t)
}

// under does something under a load of pods, and gives what became of them.
func under(t *testing.T, client kubernetes.Interface, what string, do func() error) *tally {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	y, done, began := new(tally), make(chan struct{}), time.Now()
	go func() {
		defer close(done)
		load(ctx, client, y, daysRate)
	}()
	pause(t, time.Second)
	err := do()
	took := time.Since(began)
	pause(t, 2*time.Second)
	stop()
	<-done
	t.Logf("%-42s %6.1fs  %4d admitted, %4d of them opted in; refused: %d; opted in and not injected: %d; did not opt in and were missed: %d",
		what, took.Seconds(), y.created, y.optedIn, len(y.rejected), len(y.unmutated), y.missed)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return y
}

// refusesNone holds a load to that nobody was refused.
func refusesNone(t *testing.T, y *tally) {
	t.Helper()
	if y.created < daysRate {
		t.Errorf("only %d pods were admitted", y.created)
	}
	for what, list := range map[string][]string{"refused by podpass": y.rejected, "unexpected": y.unexpected} {
		if len(list) > 0 {
			t.Errorf("%s: %d, the first: %s", what, len(list), list[0])
		}
	}
}

// keepsAll: and that whoever opted in was injected.
func keepsAll(t *testing.T, y *tally) {
	t.Helper()
	refusesNone(t, y)
	if len(y.unmutated) > 0 {
		t.Errorf("opted in and not injected: %d, the first: %s", len(y.unmutated), y.unmutated[0])
	}
}

// replaced waits until the Secret has another CA than old.
func replaced(t *testing.T, client kubernetes.Interface, old string) error {
	for end := time.Now().Add(4 * time.Minute); ; pause(t, time.Second) {
		if now := certificateAuthority(t, client); now != "" && now != old {
			return nil
		}
		if time.Now().After(end) {
			return errors.New("the CA is still the old one")
		}
	}
}

func apply(t *testing.T, manifest string) {
	t.Helper()
	if err := bed.Apply(t.Context(), namespace, manifest); err != nil {
		t.Fatal(err)
	}
}

func ready(t *testing.T, pod string) {
	t.Helper()
	if _, err := bed.Kubectl(t.Context(), "wait", "--for=condition=Ready", "pod/"+pod, "-n", namespace, "--timeout=120s"); err != nil {
		t.Fatal(err)
	}
}

// bothServe: a pod that one release injected has credentials from the other's broker, of
// every cloud and in both directions.
func bothServe(t *testing.T) {
	t.Helper()
	got := outcomes(t)
	for pod, tag := range map[string]string{"new-webhook-old-broker": testbed.LastReleaseTag, "old-webhook-new-broker": testbed.ThisRelease} {
		for _, cloud := range []string{"aws", "gcp", "azure"} {
			if o := got[pod+"/app/"+cloud]; !o.OK {
				t.Errorf("%s: %s: %s", pod, cloud, o.Error)
			}
		}
		image, err := bed.Kubectl(t.Context(), "get", "pod", pod, "-n", namespace, "-o", "jsonpath={.spec.initContainers[0].image}")
		if err != nil || !strings.HasSuffix(image, ":"+tag) {
			t.Errorf("%s has the sidecar %s, want that tagged %s: %v", pod, image, tag, err)
		}
	}
}

// leavesNothing: no object of podpass's is in the cluster but its namespace, which Helm
// made and leaves, and events, which end by themselves.
func leavesNothing(t *testing.T) {
	t.Helper()
	var left []string
	for end := time.Now().Add(time.Minute); ; pause(t, time.Second) {
		if left = remains(t); len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("left in the cluster: %s", strings.Join(left, ", "))
			return
		}
	}
}

// remains are the objects of each kind that are in podpass's namespace, carry its label,
// or, cluster-wide, its name.
func remains(t *testing.T) []string {
	t.Helper()
	list := func(args ...string) []string {
		out, err := bed.Kubectl(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(out)
	}
	listable := func(namespaced string) string {
		kinds := list("api-resources", "--verbs=list", "--namespaced="+namespaced, "-o", "name")
		return strings.Join(slices.DeleteFunc(kinds, func(k string) bool { return strings.HasPrefix(k, "events") }), ",")
	}
	always := []string{"configmap/kube-root-ca.crt", "serviceaccount/default", "namespace/" + testbed.Namespace}
	var left []string
	take := func(names []string, is func(string) bool) {
		for _, n := range names {
			if is(n) && !slices.Contains(always, n) && !slices.Contains(left, n) {
				left = append(left, n)
			}
		}
	}
	every := func(string) bool { return true }
	namespaced, wide := listable("true"), listable("false")
	take(list("get", namespaced, "-n", testbed.Namespace, "-o", "name"), every)
	take(list("get", namespaced, "-A", "-l", "app.kubernetes.io/name=podpass", "-o", "name"), every)
	take(list("get", wide, "-l", "app.kubernetes.io/name=podpass", "-o", "name"), every)
	take(list("get", wide, "-o", "name"), func(n string) bool {
		return strings.Contains(n, "/"+installed) && !strings.HasSuffix(n, "/podpass-node") // the testbed's
	})
	return left
}
