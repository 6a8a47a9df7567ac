package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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

func pod(namespace, name, account string, change func(*core.Pod)) *core.Pod {
	p := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name), Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec:       core.PodSpec{ServiceAccountName: account, Containers: []core.Container{{Name: "app", Image: "app"}}},
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
		list := new(core.PodList)
		for _, o := range pods {
			p := o.(*core.Pod)
			if p.Namespace == a.GetNamespace() && p.Spec.ServiceAccountName == account && restrictions.Labels.Matches(labelSet(p.Labels)) {
				list.Items = append(list.Items, *p)
			}
		}
		return true, list, nil
	})
	return &Auditor{
		Client: client, ServiceAccounts: known, Settings: settings, Excluded: []string{"kube-system"}, Log: slog.New(slog.DiscardHandler),
	}, client
}

type labelSet map[string]string

func (l labelSet) Has(k string) bool              { _, ok := l[k]; return ok }
func (l labelSet) Get(k string) string            { return l[k] }
func (l labelSet) Lookup(k string) (string, bool) { v, ok := l[k]; return v, ok }

func events(t *testing.T, client *fake.Clientset) []core.Event {
	t.Helper()
	list, err := client.CoreV1().Events("").List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// audited runs the auditor for some time, virtual time within a test's bubble.
func audited(t *testing.T, a *Auditor, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestMissedPodGetsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks, "shop/plain": nil, "kube-system/dns": asks},
			pod("shop", "missed", "orders", nil),
			pod("shop", "injected", "orders", func(p *core.Pod) { p.Labels[inject.InjectedLabel] = "broker" }),
			pod("shop", "opted-out", "orders", func(p *core.Pod) { p.Labels["podpass.io/inject"] = "false" }),
			pod("shop", "skipped", "orders", func(p *core.Pod) { p.Annotations["podpass.io/skip-containers"] = "app" }),
			pod("shop", "ending", "orders", func(p *core.Pod) { p.DeletionTimestamp = new(meta.Now()) }),
			pod("shop", "other", "plain", nil),
			pod("kube-system", "dns", "dns", nil),
		)
		audited(t, a, 10*time.Minute)
		got := events(t, client)
		if len(got) != 1 || got[0].InvolvedObject.Name != "missed" || got[0].Type != "Warning" || got[0].Reason != "CloudIdentityMissing" {
			t.Fatalf("events %+v", got)
		}
		for _, part := range []string{"WI080", "ServiceAccount orders", "role/orders", "fix: "} {
			if !strings.Contains(got[0].Message, part) {
				t.Errorf("the event does not say %q: %s", part, got[0].Message)
			}
		}
		if a.Uninjected() != 1 || a.LastPass().IsZero() {
			t.Errorf("%d uninjected, last pass %s", a.Uninjected(), a.LastPass())
		}
	})
}

// TestReplicasTellOnce: each replica audits, and a person sees one event.
func TestReplicasTellOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pod("shop", "missed", "orders", nil))
		b := &Auditor{Client: a.Client, ServiceAccounts: a.ServiceAccounts, Settings: a.Settings, Log: a.Log}
		audited(t, a, 3*time.Minute)
		audited(t, b, 3*time.Minute)
		if n := len(events(t, client)); n != 1 {
			t.Errorf("%d events", n)
		}
		if b.Uninjected() != 1 {
			t.Errorf("the second replica counts %d", b.Uninjected())
		}
	})
}

// TestEventsAreBounded: podpass is new to a cluster full of annotated ServiceAccounts.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pods []runtime.Object
		for i := range maxEvents + 50 {
			name := fmt.Sprintf("pod-%03d", i)
			pods = append(pods, pod("shop", name, "orders", func(p *core.Pod) { p.UID = types.UID(fmt.Sprintf("%08d", i)) }))
		}
		a, client := newAuditor(t, accounts{"shop/orders": asks}, pods...)
		audited(t, a, 30*time.Second)
		if n := len(events(t, client)); n != maxEvents || a.Uninjected() != len(pods) {
			t.Errorf("%d events, %d counted after one pass", n, a.Uninjected())
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
		audited(t, a, 30*time.Second)
		last := a.LastPass()
		client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("the API server is down")
		})
		audited(t, a, 5*time.Minute)
		if a.Uninjected() != 1 || a.LastPass() != last {
			t.Errorf("%d uninjected, last pass %s", a.Uninjected(), a.LastPass())
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
			audited(t, a, 30*time.Second)
			if a.Uninjected() != want || a.LastPass().IsZero() != (want == 0) {
				t.Errorf("%s: %d uninjected, last pass %s", large, a.Uninjected(), a.LastPass())
			}
		})
	}
}
