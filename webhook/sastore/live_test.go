package sastore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// answers is a client for live reads alone. Unlike client-go's fake it holds no lock while
// it answers, so that reads overlap.
type answers struct {
	metadata.Getter
	namespace string
	get       func(namespace, name string) (*metav1.PartialObjectMetadata, error)
}

func (a answers) Resource(schema.GroupVersionResource) metadata.Getter { return a }

func (a answers) Namespace(namespace string) metadata.ResourceInterface {
	a.namespace = namespace
	return a
}

func (a answers) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*metav1.PartialObjectMetadata, error) {
	return a.get(a.namespace, name)
}

// answering is a store whose live reads are answered by get.
func answering(get func(namespace, name string) (*metav1.PartialObjectMetadata, error)) *Store {
	return New(answers{get: get})
}

// knows puts ServiceAccounts that ask for nothing into the store's memory.
func (s *Store) knows(namespace string, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		o := serviceAccount(name, nil)
		o.Namespace = namespace
		s.index.put(o, nil)
	}
}

var (
	orders   = serviceAccount("orders", map[string]string{"podpass.io/aws-role-arn": "x"})
	notFound = apierrors.NewNotFound(serviceAccounts.GroupResource(), "orders")
)

// TestSlotsAreGivenBack: however a read ends, the next one has its slot.
func TestSlotsAreGivenBack(t *testing.T) {
	for name, answer := range map[string]error{"found": nil, "absent": notFound, "failed": errors.New("the API server is down")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) { return orders, answer })
				for i := range 100 {
					if _, err := s.GetLive(t.Context(), "shop", fmt.Sprint("n", i)); errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("read %d: %v", i, err)
					}
				}
				if n := s.LiveReads(); n != 100 {
					t.Errorf("%d reads, want 100", n)
				}
			})
		})
	}
}

// TestReadsThatHang: when every slot is taken, one read more is an error, and never "there
// is none"; nor is it one of those under way.
func TestReadsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) { <-hang; return orders, nil })
		var wg sync.WaitGroup
		for i := range 8 {
			namespace := fmt.Sprint("team-", i/2)
			s.knows(namespace, "default")
			wg.Go(func() { _, _ = s.Get(OptedIn(t.Context()), namespace, fmt.Sprint("n", i)) }) // they hang
		}
		synctest.Wait()
		if n := s.LiveReads(); n != 8 {
			t.Fatalf("%d reads under way, want 8", n)
		}
		start := time.Now()
		_, err := s.Get(OptedIn(t.Context()), "shop", "orders")
		if err == nil || errors.Is(err, ErrNotFound) || time.Since(start) != liveTimeout {
			t.Errorf("%v after %v, want an error after %v", err, time.Since(start), liveTimeout)
		}
		if n := s.LiveReads(); n != 8 {
			t.Errorf("%d reads at one time, want at most 8", n)
		}
		close(hang)
		wg.Wait()
		if _, err := s.Get(t.Context(), "shop", "orders"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestCallerThatLeaves: its read goes on, for the others.
func TestCallerThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) {
			time.Sleep(time.Second)
			return orders, nil
		})
		ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Get(ctx, "shop", "orders"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one that left: %v", err)
			}
		})
		synctest.Wait()
		if r, err := s.Get(t.Context(), "shop", "orders"); err != nil || r.Annotations == nil {
			t.Errorf("the one that stayed: %v, %v", r, err)
		}
		wg.Wait()
	})
}

// TestOptedInFirst: pods that have not opted in leave slots to those that have.
func TestOptedInFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(func(namespace, _ string) (*metav1.PartialObjectMetadata, error) {
			if namespace != "shop" {
				time.Sleep(time.Minute)
			}
			return orders, nil
		})
		for i := range 10 {
			namespace := fmt.Sprint("team-", i)
			s.knows(namespace, "default")
			for n := range 3 {
				go func() { _, _ = s.Get(t.Context(), namespace, fmt.Sprint("n", n)) }() // they hang
			}
		}
		synctest.Wait()
		if n := s.LiveReads(); n != 6 {
			t.Fatalf("%d reads under way, want 6", n)
		}
		start := time.Now()
		if r, err := s.Get(OptedIn(t.Context()), "shop", "orders"); err != nil || r.Annotations == nil || time.Since(start) > 0 {
			t.Errorf("%v, %v after %v", r, err, time.Since(start))
		}
		time.Sleep(time.Minute) // until those that hang are over
	})
}

// TestInventedNames: a flood of names that nobody has, in one namespace or in namespaces
// that do not exist either, takes neither the API server's time nor other pods' reads.
func TestInventedNames(t *testing.T) {
	for name, invented := range map[string]func(i int) (namespace, name string){
		"in one namespace":    func(i int) (string, string) { return "shop", fmt.Sprint("n", i) },
		"in namespaces":       func(i int) (string, string) { return fmt.Sprint("ns-", i), "default" },
		"one name":            func(int) (string, string) { return "shop", "nobody" },
		"in empty namespaces": func(i int) (string, string) { return "", fmt.Sprint(i) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := answering(func(_, name string) (*metav1.PartialObjectMetadata, error) {
					time.Sleep(3 * time.Millisecond)
					if name == "orders" {
						return orders, nil
					}
					return nil, notFound
				})
				s.knows("shop", "default", "plain")
				s.knows("bank", "default")
				const seconds, perSecond = 10, 1000
				for i := range seconds * perSecond {
					namespace, name := invented(i)
					go func() { _, _ = s.Get(OptedIn(t.Context()), namespace, name) }() // most fail
					if i%perSecond == perSecond/2 {
						// Pods of a new ServiceAccount elsewhere, and of a known one that asks for nothing.
						start := time.Now()
						if r, err := s.Get(OptedIn(t.Context()), "bank", "orders"); err != nil || r.Annotations == nil {
							t.Errorf("second %d: another namespace's: %v, %v", i/perSecond, r, err)
						}
						if _, err := s.GetLive(OptedIn(t.Context()), "shop", "plain"); err != nil && !errors.Is(err, ErrNotFound) {
							t.Errorf("second %d: a known one: %v", i/perSecond, err)
						}
						if took := time.Since(start); took > 100*time.Millisecond {
							t.Errorf("second %d: honest reads took %v", i/perSecond, took)
						}
					}
					time.Sleep(time.Second / perSecond)
				}
				if n := s.LiveReads(); n > 2*seconds+40+20*(seconds+2) {
					t.Errorf("%d requests to the API server", n)
				}
				time.Sleep(liveTimeout)
			})
		})
	}
}

// TestAbsenceIsRemembered for some seconds: but never for a pod that opted in, and not
// once the watch knows better.
func TestAbsenceIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) { return nil, notFound })
		reads := func(want int64, ctx context.Context) {
			t.Helper()
			if _, err := s.Get(ctx, "shop", "orders"); !errors.Is(err, ErrNotFound) || s.LiveReads() != want {
				t.Errorf("%v after %d reads, want %d", err, s.LiveReads(), want)
			}
		}
		reads(1, t.Context())
		time.Sleep(absenceLife - 1)
		reads(1, t.Context())
		reads(2, OptedIn(t.Context()))
		time.Sleep(absenceLife)
		reads(3, t.Context())
		if err := (&feed{store: s}).Add(orders); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Get(t.Context(), "shop", "orders"); err != nil || r.Annotations == nil {
			t.Errorf("created: %v, %v", r, err)
		}
	})
}

// TestAbsencesAreBounded, and the old ones make room.
func TestAbsencesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a absences
		name := func(i int) (n struct{ Namespace, Name string }) { n.Name = fmt.Sprint(i); return n }
		for i := range 2049 {
			a.add(name(i))
		}
		if len(a.until) != 2048 || !a.has(name(2047)) || a.has(name(2048)) {
			t.Errorf("%d remembered", len(a.until))
		}
		time.Sleep(absenceLife)
		if a.has(name(0)) {
			t.Error("remembered for longer")
		}
		a.add(name(2048))
		if len(a.until) != 1 || !a.has(name(2048)) {
			t.Errorf("%d remembered, want the new one", len(a.until))
		}
	})
}

// TestAnswerIsNeverOlderThanTheCall: a ServiceAccount that was created, or mended, while
// a read was under way is seen by whoever comes then.
func TestAnswerIsNeverOlderThanTheCall(t *testing.T) {
	for name, get := range map[string]func(*Store, context.Context, string, string) (Record, error){
		"Get": (*Store).Get, "GetLive": (*Store).GetLive,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var created atomic.Bool
				s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) {
					found := created.Load()
					time.Sleep(10 * time.Millisecond)
					if !found {
						return nil, notFound
					}
					return orders, nil
				})
				var wg sync.WaitGroup
				wg.Go(func() { _, _ = get(s, t.Context(), "shop", "orders") }) // it finds nothing
				time.Sleep(time.Millisecond)
				created.Store(true)
				if r, err := get(s, t.Context(), "shop", "orders"); err != nil || r.Annotations == nil {
					t.Errorf("got %v, %v: what was read before it was created", r, err)
				}
				wg.Wait()
			})
		})
	}
}

// TestThousandDeniedPods of one Deployment: each is answered by a read that began after
// it came, and all of them cost some reads.
func TestThousandDeniedPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) {
			time.Sleep(3 * time.Millisecond)
			return orders, nil
		})
		s.knows("shop", "orders")
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if r, err := s.GetLive(t.Context(), "shop", "orders"); err != nil || r.Annotations == nil {
					t.Errorf("got %v, %v", r, err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		if n := s.LiveReads(); n > 62 {
			t.Errorf("%d reads for 1,000 pods in a second", n)
		}
	})
}

// TestWatchIsFaster: who waits for a read is answered by what the watch brings.
func TestWatchIsFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) {
			time.Sleep(time.Second)
			return nil, errors.New("the API server is down")
		})
		time.AfterFunc(time.Millisecond, func() {
			if err := (&feed{store: s}).Add(orders); err != nil {
				t.Error(err)
			}
		})
		if r, err := s.Get(OptedIn(t.Context()), "shop", "orders"); err != nil || r.Annotations == nil {
			t.Errorf("got %v, %v", r, err)
		}
	})
}

// TestLiveAnswerCounts: the watch, which may be behind, does not replace it.
func TestLiveAnswerCounts(t *testing.T) {
	var s *Store
	s = answering(func(string, string) (*metav1.PartialObjectMetadata, error) {
		s.knows("shop", "orders") // without its annotations of a moment ago
		return orders, nil
	})
	if r, err := s.Get(t.Context(), "shop", "orders"); err != nil || r.Annotations == nil {
		t.Errorf("got %v, %v: what the watch says", r, err)
	}
}

// TestLargeIsRead: of what is not held the API server is asked, and nothing is left out.
func TestLargeIsRead(t *testing.T) {
	annotations := worst()["every known key"]
	s := answering(func(string, string) (*metav1.PartialObjectMetadata, error) { return annotated(annotations), nil })
	if err := (&feed{store: s}).Add(annotated(annotations)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(t.Context(), "shop", "orders")
	if err != nil || r.Large || len(r.Annotations) != len(annotations) || s.LiveReads() != 1 {
		t.Errorf("large %t, %d annotations, %v, %d reads", r.Large, len(r.Annotations), err, s.LiveReads())
	}
	s.absent.add(struct{ Namespace, Name string }{"shop", "orders"})
	if _, err := s.Get(t.Context(), "shop", "orders"); err != nil {
		t.Errorf("one that is known: %v", err)
	}
	down := answering(func(string, string) (*metav1.PartialObjectMetadata, error) { return nil, errors.New("down") })
	if err := (&feed{store: down}).Add(annotated(annotations)); err != nil {
		t.Fatal(err)
	}
	if r, err := down.Get(t.Context(), "shop", "orders"); err == nil {
		t.Errorf("without the API server: %v and no error", r)
	}
}

// TestSharesAreForgotten: namespaces that come and go leave nothing behind.
func TestSharesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShares()
		busy, err := s.acquire(t.Context(), group{namespace: "busy"})
		if err != nil {
			t.Fatal(err)
		}
		kept := s.of[group{namespace: "busy"}]
		for i := range 12_288 {
			release, err := s.acquire(t.Context(), group{namespace: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
			release()
			time.Sleep(time.Second)
		}
		if len(s.of) > 4096 {
			t.Errorf("%d are kept", len(s.of))
		}
		if s.of[group{namespace: "busy"}] != kept {
			t.Error("one in use is forgotten")
		}
		busy()
	})
}

// TestWhoGaveUpHoldsNothing: reads that waited in vain leave their places in every queue.
func TestWhoGaveUpHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShares()
		var busy []func()
		for i := range 8 {
			release, err := s.acquire(t.Context(), group{namespace: fmt.Sprint(i), optedIn: true})
			if err != nil {
				t.Fatal(err)
			}
			busy = append(busy, release)
		}
		shop := group{namespace: "shop"}
		for range 12 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := s.acquire(ctx, shop); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
			cancel()
		}
		for _, release := range busy {
			release()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		release, err := s.acquire(ctx, shop)
		if err != nil {
			t.Fatalf("afterwards: %v", err)
		}
		release()
		if len(s.slots)+len(s.others)+len(s.share(shop).slots) > 0 {
			t.Error("something is still held")
		}
	})
}
