package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// accounts by "namespace/name".
type accounts map[string]map[string]string

func (a accounts) Synced() bool { return true }

func (a accounts) All() iter.Seq2[types.NamespacedName, sastore.Record] {
	return func(yield func(types.NamespacedName, sastore.Record) bool) {
		for key, annotations := range a {
			namespace, name, _ := strings.Cut(key, "/")
			record := sastore.Record{Annotations: annotations}
			if annotations["large"] != "" {
				record = sastore.Record{Large: true}
			}
			if !yield(types.NamespacedName{Namespace: namespace, Name: name}, record) {
				return
			}
		}
	}
}

func (a accounts) GetLive(_ context.Context, namespace, name string) (sastore.Record, error) {
	if a[namespace+"/"+name]["large"] == "unreadable" {
		return sastore.Record{}, errors.New("the API server is down")
	}
	return sastore.Record{Annotations: a[namespace+"/"+name]}, nil
}

var asks = map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/orders"}

func pod(namespace, name, account string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name), Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec:       corev1.PodSpec{ServiceAccountName: account, Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

// newAuditor has a client that heeds the selector by ServiceAccount, which the fake
// one does not.
func newAuditor(t *testing.T, known accounts, pods ...runtime.Object) (*Auditor, *fake.Clientset) {
	t.Helper()
	settings, err := inject.LoadSettings([]byte("broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	client := fake.NewClientset(pods...)
	client.PrependReactor("list", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		restrictions := a.(clienttesting.ListAction).GetListRestrictions()
		account, _ := restrictions.Fields.RequiresExactMatch("spec.serviceAccountName")
		list := new(corev1.PodList)
		for _, o := range pods {
			p := o.(*corev1.Pod)
			if p.Namespace == a.GetNamespace() && p.Spec.ServiceAccountName == account && restrictions.Labels.Matches(labelSet(p.Labels)) {
				list.Items = append(list.Items, *p)
			}
		}
		return true, list, nil
	})
	return &Auditor{
		Client: client, ServiceAccounts: known, Settings: inject.Fixed(settings), Excluded: []string{"kube-system"}, Log: slog.New(slog.DiscardHandler),
	}, client
}

type labelSet map[string]string

func (l labelSet) Has(k string) bool              { _, ok := l[k]; return ok }
func (l labelSet) Get(k string) string            { return l[k] }
func (l labelSet) Lookup(k string) (string, bool) { v, ok := l[k]; return v, ok }

func events(t *testing.T, client *fake.Clientset) []corev1.Event {
	t.Helper()
	list, err := client.CoreV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// start runs the auditor until the function that it gives is called.
func start(t *testing.T, a *Auditor) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// audited runs the auditor for some time, virtual time within a test's bubble, and
// gives the last complete pass.
func audited(t *testing.T, a *Auditor, d time.Duration) Pass {
	t.Helper()
	stop := start(t, a)
	time.Sleep(d)
	synctest.Wait()
	pass, _ := a.LastPass()
	stop()
	if _, ok := a.LastPass(); ok {
		t.Error("an auditor that does not run reports a pass")
	}
	return pass
}

func TestMissedPodGetsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks, "shop/plain": nil, "kube-system/dns": asks},
			pod("shop", "missed", "orders", nil),
			pod("shop", "injected", "orders", func(p *corev1.Pod) { p.Labels[inject.InjectedLabel] = "broker"; sidecar(p) }),
			pod("shop", "opted-out", "orders", func(p *corev1.Pod) { p.Labels["podpass.io/inject"] = "false" }),
			pod("shop", "skipped", "orders", func(p *corev1.Pod) { p.Annotations["podpass.io/skip-containers"] = "app" }),
			pod("shop", "denied", "orders", func(p *corev1.Pod) { p.Annotations["podpass.io/broker-port"] = "none" }),
			pod("shop", "ending", "orders", func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }),
			pod("shop", "other", "plain", nil),
			pod("kube-system", "dns", "dns", nil),
		)
		pass := audited(t, a, 10*time.Minute)
		got := events(t, client)
		if len(got) != 1 || got[0].InvolvedObject.Name != "missed" || got[0].Type != "Warning" || got[0].Reason != "CloudIdentityMissing" {
			t.Fatalf("events %+v", got)
		}
		for _, part := range []string{"WI080", "ServiceAccount orders", "role/orders", "fix: "} {
			if !strings.Contains(got[0].Message, part) {
				t.Errorf("the event does not say %q: %s", part, got[0].Message)
			}
		}
		if pass.Uninjected != 1 || time.Since(pass.Ended) > 2*time.Minute {
			t.Errorf("last pass %+v", pass)
		}
	})
}

// TestLogTellsOfTheAudit: whoever reads the webhook's log finds each missed pod once, with
// what it lacks, and why a pass failed; the end of the audit is no failure.
func TestLogTellsOfTheAudit(t *testing.T) {
	down := errors.New("the API server is down")
	for name, test := range map[string]struct {
		event error // of creating one
		want  []string
	}{
		"missed":  {nil, []string{`level=WARN msg="Pod runs without its identity" namespace=shop pod=missed serviceAccount=orders identities="[aws arn:aws:iam::111122223333:role/orders]"`}},
		"refused": {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"), []string{`level=DEBUG msg="Event refused" namespace=shop pod=missed error="namespaces \"shop\" not found"`}},
		"failed":  {down, []string{`level=ERROR msg="Audit pass failed; the next one follows" error="pods of ServiceAccount shop/orders: write the event of pod missed: the API server is down"`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
				client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
					return test.event != nil, nil, test.event
				})
				var log bytes.Buffer
				a.Log = textLog(&log)
				audited(t, a, 30*time.Second)
				if diff := cmp.Diff(test.want, lines(&log)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
	t.Run("ended in the midst of a pass", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
			var log bytes.Buffer
			a.Log = textLog(&log)
			audited(t, a, pace/2)
			if got := lines(&log); len(got) > 0 {
				t.Errorf("logged %q", got)
			}
		})
	})
}

// textLog has no times.
func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func lines(log *bytes.Buffer) []string {
	return strings.FieldsFunc(log.String(), func(r rune) bool { return r == '\n' })
}

// TestRequiredLabel: where pods need Azure's label, those that have it are looked for,
// and no others.
func TestRequiredLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		labelled := func(p *corev1.Pod) { p.Labels["azure.workload.identity/use"] = "true" }
		entra := map[string]string{"azure.workload.identity/client-id": "11111111-2222-3333-4444-555555555555"}
		a, client := newAuditor(t, accounts{"shop/orders": entra, "shop/plain": nil},
			pod("shop", "missed", "orders", labelled), pod("shop", "without", "orders", nil), pod("shop", "plain", "plain", nil),
		)
		settings := a.Settings()
		settings.Azure.TenantID, settings.Azure.RequireUseLabel = "99999999-8888-7777-6666-555555555555", true
		a.Settings = inject.Fixed(settings)
		pass := audited(t, a, 10*time.Minute)
		if got := events(t, client); len(got) != 1 || got[0].InvolvedObject.Name != "missed" || pass.Uninjected != 1 {
			t.Errorf("%d uninjected, events %+v", pass.Uninjected, got)
		}
	})
}

// TestNextLeaderReportsOnce: whichever replica audits, a person sees one event.
func TestNextLeaderReportsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
		b := &Auditor{Client: a.Client, ServiceAccounts: a.ServiceAccounts, Settings: a.Settings, Log: a.Log}
		audited(t, a, 3*time.Minute)
		pass := audited(t, b, 3*time.Minute)
		if n := len(events(t, client)); n != 1 {
			t.Errorf("%d events", n)
		}
		if pass.Uninjected != 1 {
			t.Errorf("the second replica counts %d", pass.Uninjected)
		}
	})
}

// TestEventsAreBounded: podpass is new to a cluster full of annotated ServiceAccounts.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pods []runtime.Object
		for i := range maxEvents + 50 {
			name := fmt.Sprintf("pod-%03d", i)
			pods = append(pods, pod("shop", name, "orders", func(p *corev1.Pod) { p.UID = types.UID(fmt.Sprintf("%08d", i)) }))
		}
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pods...)
		pass := audited(t, a, 30*time.Second)
		if n := len(events(t, client)); n != maxEvents || pass.Uninjected != len(pods) {
			t.Errorf("%d events, %d counted after one pass", n, pass.Uninjected)
		}
		audited(t, a, 2*time.Minute)
		if n := len(events(t, client)); n != len(pods) {
			t.Errorf("%d events in the end", n)
		}
	})
}

// TestFailedPassIsNotACount: what could not be listed must not look like order.
func TestFailedPassIsNotACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
		var away atomic.Bool
		client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return away.Load(), nil, errors.New("the API server is down")
		})
		ended := start(t, a)
		time.Sleep(30 * time.Second)
		before, _ := a.LastPass()
		away.Store(true)
		time.Sleep(5 * time.Minute)
		if pass, ok := a.LastPass(); !ok || pass != before || pass.Uninjected != 1 {
			t.Errorf("last pass %+v, before the failures %+v", pass, before)
		}
		away.Store(false)
		time.Sleep(3 * time.Minute)
		if pass, _ := a.LastPass(); !pass.Ended.After(before.Ended) {
			t.Error("no pass after the failures")
		}
		ended()
	})
}

// TestPanicIsOfOnePass: a pod that the planner stumbles over must end neither the
// process, which serves admissions, nor the audit of the others.
func TestPanicIsOfOnePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks, "shop/bad": asks}, pod("shop", "missed", "orders", nil))
		client.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
			if account, _ := action.(clienttesting.ListAction).GetListRestrictions().Fields.RequiresExactMatch("spec.serviceAccountName"); account == "bad" {
				panic("stumbled")
			}
			return false, nil, nil
		})
		if pass := audited(t, a, 3*time.Minute); !pass.Ended.IsZero() {
			t.Errorf("a pass that is not complete counts: %+v", pass)
		}
		if got := events(t, client); len(got) != 1 {
			t.Errorf("%d events on the pods of other ServiceAccounts, want 1", len(got))
		}
	})
}

// TestLargeServiceAccount: one that the store does not hold is audited as any other, and
// if it cannot be read the pass is not complete.
func TestLargeServiceAccount(t *testing.T) {
	for large, want := range map[string]int{"readable": 1, "unreadable": 0} {
		synctest.Test(t, func(t *testing.T) {
			annotations := map[string]string{"large": large, "eks.amazonaws.com/role-arn": asks["eks.amazonaws.com/role-arn"]}
			a, _ := newAuditor(t, accounts{"shop/orders": annotations}, pod("shop", "missed", "orders", nil))
			pass := audited(t, a, 3*time.Minute)
			if pass.Uninjected != want || pass.Ended.IsZero() != (want == 0) {
				t.Errorf("%s: %+v", large, pass)
			}
		})
	}
}

// TestEventIsWrittenAgain: an API server keeps one for an hour, the pod may run for longer.
func TestEventIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
		creates := 0
		client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
			creates++
			return false, nil, nil
		})
		audited(t, a, eventLife-2*time.Minute)
		if creates != 1 {
			t.Errorf("%d events written in an hour", creates)
		}
		creates = 0
		audited(t, a, 2*eventLife+5*time.Minute)
		if creates != 3 {
			t.Errorf("%d events written in two hours, want 3", creates)
		}
	})
}

// TestRefusedEventIsNoFailure: a namespace that is being deleted takes none, and the
// pod is counted; any other failure is the pass's.
func TestRefusedEventIsNoFailure(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		complete bool
	}{
		"forbidden": {apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "x", errors.New("being deleted")), true},
		"not found": {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"), true},
		"down":      {errors.New("the API server is down"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
				client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.err })
				if pass := audited(t, a, 3*time.Minute); (pass.Uninjected == 1) != test.complete {
					t.Errorf("last pass %+v", pass)
				}
			})
		})
	}
}

// TestWaitsForServiceAccounts: an audit of those that are known so far would find less.
func TestWaitsForServiceAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAuditor(t, nil, pod("shop", "missed", "orders", nil))
		known := &late{accounts: accounts{"shop/orders": asks}}
		a.ServiceAccounts = known
		ended := start(t, a)
		time.Sleep(10 * time.Minute)
		if pass, ok := a.LastPass(); ok {
			t.Errorf("a pass before they are known: %+v", pass)
		}
		known.synced.Store(true)
		time.Sleep(2 * time.Minute)
		if pass, _ := a.LastPass(); pass.Uninjected != 1 {
			t.Errorf("last pass %+v", pass)
		}
		ended()
	})
}

type late struct {
	accounts
	synced atomic.Bool
}

func (l *late) Synced() bool { return l.synced.Load() }
