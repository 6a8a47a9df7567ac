package limitranges

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func limitRange(namespace, name, cpu string) *corev1.LimitRange {
	return &corev1.LimitRange{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{"note": "long"}},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypePersistentVolumeClaim, Max: corev1.ResourceList{"storage": resource.MustParse("1Ti")}},
			{Type: corev1.LimitTypeContainer, Min: corev1.ResourceList{"cpu": resource.MustParse(cpu)}},
		}},
	}
}

// least gives the least CPU of each item of a namespace.
func (s *Store) least(namespace string) []string {
	var list []string
	for _, l := range s.Around(namespace).Limits {
		list = append(list, l.Min.Cpu().String())
	}
	return list
}

func start(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "it has synced", s.Synced)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestFollowsTheCluster(t *testing.T) {
	client := fake.NewClientset(limitRange("shop", "floor", "100m"), limitRange("batch", "floor", "1"))
	s := New(client, slog.New(slog.DiscardHandler))
	if got := s.least("shop"); s.Synced() || got != nil {
		t.Errorf("before it is started: %t %v", s.Synced(), got)
	}
	start(t, s)
	if d := cmp.Diff([]string{"100m"}, s.least("shop")); d != "" {
		t.Error(d)
	}
	limits := client.CoreV1().LimitRanges("shop")
	if _, err := limits.Update(t.Context(), limitRange("shop", "floor", "50m"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the change is known", func() bool { return cmp.Equal(s.least("shop"), []string{"50m"}) })
	if _, err := limits.Create(t.Context(), limitRange("shop", "more", "60m"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new one is known", func() bool { return len(s.least("shop")) == 2 })
	if err := limits.Delete(t.Context(), "floor", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other one is gone", func() bool { return cmp.Equal(s.least("shop"), []string{"60m"}) })
	for _, o := range s.known.List() {
		if l, ok := o.(*corev1.LimitRange); !ok || l.Annotations != nil {
			t.Errorf("kept whole: %v", o)
		}
	}
}

// TestUnreadable: a replica that may not list LimitRanges serves all the same, and says so.
func TestUnreadable(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("list", "limitranges", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("forbidden for the test")
	})
	var log strings.Builder
	s := New(client, slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := (source{s}).ListWithContext(t.Context(), metav1.ListOptions{}); err == nil {
		t.Fatal("no error")
	}
	if !s.Synced() || !strings.Contains(log.String(), "forbidden for the test") {
		t.Errorf("synced: %t, log: %s", s.Synced(), log.String())
	}
	if got := s.least("shop"); got != nil {
		t.Errorf("knows %v", got)
	}
}

// TestMoreThanAnybodyNeeds: a namespace with thousands of items would make each of its
// pods dear.
func TestMoreThanAnybodyNeeds(t *testing.T) {
	s := New(fake.NewClientset(), slog.New(slog.DiscardHandler))
	huge := limitRange("shop", "huge", "1m")
	for range maxItems {
		huge.Spec.Limits = append(huge.Spec.Limits, huge.Spec.Limits[1])
	}
	for _, l := range []*corev1.LimitRange{huge, limitRange("shop", "floor", "100m")} {
		if err := (target{s.known, s}).Add(l); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"100m"}, s.least("shop")); d != "" {
		t.Error(d)
	}
}
