package sastore

import (
	"bytes"
	"errors"
	goruntime "runtime"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
)

// fed is a store without a client, and its feed.
func fed(t *testing.T, accounts ...*metav1.PartialObjectMetadata) (*Store, *feed) {
	t.Helper()
	s := New(nil)
	f := &feed{store: s}
	for _, a := range accounts {
		if err := f.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	return s, f
}

// TestDeletionLeavesTheSibling: deleting one ServiceAccount must not forget the others of
// its namespace, and the last one takes the namespace with it.
func TestDeletionLeavesTheSibling(t *testing.T) {
	s, f := fed(t, serviceAccount("orders", nil), serviceAccount("billing", nil))
	if err := f.Delete(serviceAccount("orders", nil)); err != nil {
		t.Fatal(err)
	}
	if _, known := s.lookup("shop", "billing"); !known {
		t.Error("the sibling is forgotten")
	}
	if _, known := s.lookup("shop", "orders"); known {
		t.Error("the deleted one is not")
	}
	if err := f.Delete(serviceAccount("billing", nil)); err != nil || len(s.index.byName) != 0 {
		t.Errorf("%v, %d namespaces left", err, len(s.index.byName))
	}
}

// TestWhatIsNoServiceAccountIsAnError: the reflector logs it; the store must not.
func TestWhatIsNoServiceAccountIsAnError(t *testing.T) {
	s, f := fed(t, serviceAccount("orders", nil))
	for name, fn := range map[string]func(any) error{"Add": f.Add, "Update": f.Update, "Delete": f.Delete} {
		for _, o := range []any{"orders", nil, &metav1.Status{}, cache.DeletedFinalStateUnknown{}} {
			if fn(o) == nil {
				t.Errorf("%s of a %T: no error", name, o)
			}
		}
	}
	if err := f.Replace([]any{"orders"}, "1"); err == nil || s.Synced() {
		t.Error("a list that the feed did not read is taken for one")
	}
	if all, _ := s.Len(); all != 1 {
		t.Errorf("%d known, want 1", all)
	}
}

// TestLastHeard: a watch that says that nothing has changed is alive.
func TestLastHeard(t *testing.T) {
	for name, say := range map[string]func(*feed) error{
		"list":     func(f *feed) error { f.listed = newIndex(); return f.Replace(nil, "1") },
		"event":    func(f *feed) error { return f.Add(serviceAccount("orders", nil)) },
		"deletion": func(f *feed) error { return f.Delete(serviceAccount("orders", nil)) },
		"bookmark": func(f *feed) error { return f.Bookmark("2") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := fed(t)
				if !s.LastHeard().IsZero() {
					t.Errorf("heard at %v of a watch that has not begun", s.LastHeard())
				}
				time.Sleep(time.Minute)
				if err := say(f); err != nil || !s.LastHeard().Equal(time.Now()) {
					t.Errorf("%v, heard at %v, want %v", err, s.LastHeard(), time.Now())
				}
			})
		})
	}
}

// TestListIsGivenBack: what was read of a list and is not kept is the system's again,
// where the process's limit would count it.
func TestListIsGivenBack(t *testing.T) {
	resident := func() int64 {
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return int64(m.HeapSys) - int64(m.HeapReleased)
	}
	_, f := fed(t)
	before := resident()
	for range 64 {
		garbage = bytes.Repeat([]byte("page"), 256<<10)
	}
	garbage = nil
	f.listed = newIndex()
	if err := f.Replace(nil, "1"); err != nil {
		t.Fatal(err)
	}
	if more := resident() - before; more > 8<<20 {
		t.Errorf("%d bytes more than before", more)
	}
}

// garbage keeps the pages of a test on the heap.
var garbage []byte

// TestRunsOnEveryReplica: as a runnable of a manager, the store waits for no leader.
func TestRunsOnEveryReplica(t *testing.T) {
	if New(nil).NeedLeaderElection() {
		t.Error("only the leader would know ServiceAccounts")
	}
}

// TestFailedListIsNotACluster: what could not be listed is not a cluster without
// ServiceAccounts, and the next list is taken.
func TestFailedListIsNotACluster(t *testing.T) {
	client := newClient(t, serviceAccount("orders", nil))
	fail := true
	client.PrependReactor("list", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		return fail, nil, errors.New("the API server is down")
	})
	f := &feed{store: New(client)}
	if o, err := f.List(metav1.ListOptions{}); err == nil || o != nil {
		t.Errorf("got %v, %v", o, err)
	}
	fail = false
	if _, err := f.List(metav1.ListOptions{}); err != nil || len(f.listed.byName) != 1 {
		t.Errorf("afterwards: %v, %d namespaces", err, len(f.listed.byName))
	}
}

// TestAllStops where its caller does.
func TestAllStops(t *testing.T) {
	other := serviceAccount("orders", nil)
	other.Namespace = "bank"
	s, _ := fed(t, serviceAccount("orders", nil), serviceAccount("billing", nil), other)
	n := 0
	for range s.All() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d, want 1", n)
	}
}
