package sastore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"
)

func serviceAccount(name string, annotations map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: annotations},
	}
}

func newClient(t *testing.T, objects ...runtime.Object) *fake.FakeMetadataClient {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewSimpleMetadataClient(scheme, objects...)
}

func running(t *testing.T, client *fake.FakeMetadataClient) *Store {
	t.Helper()
	s := New(client)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Start: %v", err)
		}
	})
	for end := time.Now().Add(5 * time.Second); !s.Synced(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not synced")
		}
	}
	return s
}

func TestKeepsOnlyTheVocabularies(t *testing.T) {
	labelled := serviceAccount("labelled", nil)
	labelled.Labels = map[string]string{"azure.workload.identity/client-id": "z", "app": "labelled"}
	s := running(t, newClient(t, labelled,
		serviceAccount("orders", map[string]string{"eks.amazonaws.com/role-arn": "x", "kubectl.kubernetes.io/last-applied-configuration": "long"}),
		serviceAccount("misspelt", map[string]string{"eks.amazonaws.com/role-arm": "x"}),
		serviceAccount("plain", map[string]string{"other": "y"}),
		serviceAccount("bare", nil)))
	want := map[string]Record{
		"labelled": {Labels: map[string]string{"azure.workload.identity/client-id": "z"}},
		"orders":   {Annotations: map[string]string{"eks.amazonaws.com/role-arn": "x"}},
		"misspelt": {Annotations: map[string]string{"eks.amazonaws.com/role-arm": ""}},
		"plain":    {}, "bare": {},
	}
	all := map[string]Record{}
	for name, r := range s.All() {
		all[name.Name] = r
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("All (-want +got)\n%s", diff)
	}
	for name, want := range want {
		r, err := s.Get(t.Context(), "shop", name)
		if diff := cmp.Diff(want, r); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
	if all, annotated := s.Len(); all != 5 || annotated != 3 {
		t.Errorf("%d known, %d annotated", all, annotated)
	}
	if n := s.LiveReads(); n != 0 {
		t.Errorf("%d live reads for what is known", n)
	}
}

func TestFollowsTheWatch(t *testing.T) {
	client := newClient(t, serviceAccount("orders", nil))
	s := running(t, client)
	accounts := client.Resource(serviceAccounts).Namespace("shop").(fake.MetadataClient)
	if _, err := accounts.UpdateFake(serviceAccount("orders", map[string]string{"podpass.io/aws-role-arn": "x"}), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the annotation", func() bool {
		r, err := s.Get(t.Context(), "shop", "orders")
		return err == nil && r.Annotations != nil
	})
	if err := accounts.Delete(t.Context(), "orders", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deletion", func() bool {
		_, err := s.Get(t.Context(), "shop", "orders")
		return errors.Is(err, ErrNotFound)
	})
}

// TestUnknownIsReadOnce: the first pods after their ServiceAccount are not missed,
// and many of them cost one request.
func TestUnknownIsReadOnce(t *testing.T) {
	client := newClient(t)
	reads := make(chan struct{})
	client.PrependReactor("get", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-reads
		return true, serviceAccount("new", map[string]string{"podpass.io/aws-role-arn": "x"}), nil
	})
	s := New(client)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if r, err := s.Get(t.Context(), "shop", "new"); err != nil || r.Annotations == nil {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // until all of them wait
	close(reads)
	wg.Wait()
	if n := s.LiveReads(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
}

func TestFailureIsNotAbsence(t *testing.T) {
	client := newClient(t)
	client.PrependReactor("get", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("the API server is down")
	})
	if _, err := New(client).Get(t.Context(), "shop", "orders"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestReadersLetTheWatchGoOn: whoever has read holds nothing up.
func TestReadersLetTheWatchGoOn(t *testing.T) {
	s, _ := fed(t, serviceAccount("orders", nil), serviceAccount("billing", nil))
	for name, read := range map[string]func(){
		"Synced": func() { s.Synced() }, "Len": func() { s.Len() }, "lookup": func() { s.lookup("shop", "orders") },
		"group": func() { s.group(t.Context(), "shop", true) },
		"All": func() {
			for range s.All() {
			}
		},
		"All, left early": func() {
			for range s.All() {
				break
			}
		},
		"All, not used": func() { s.All() },
		"while in All": func() {
			for range s.All() {
				if !s.mu.TryLock() {
					t.Fatal("the watch waits for who reads all")
				}
				s.mu.Unlock()
			}
		},
	} {
		read()
		if !s.mu.TryLock() {
			t.Fatalf("%s: the watch waits", name)
		}
		s.mu.Unlock()
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has not come", what)
		}
	}
}
