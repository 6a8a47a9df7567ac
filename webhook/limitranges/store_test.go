package limitranges

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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

// TestKeepsWhatIsOfPodsAndContainers: items of any other kind say nothing of a pod.
func TestKeepsWhatIsOfPodsAndContainers(t *testing.T) {
	l := limitRange("shop", "floor", "100m")
	l.Spec.Limits = append(l.Spec.Limits, corev1.LimitRangeItem{Type: corev1.LimitTypePod, Min: corev1.ResourceList{"cpu": resource.MustParse("2")}})
	s := New(fake.NewClientset(l), slog.New(slog.DiscardHandler))
	start(t, s)
	if d := cmp.Diff([]string{"100m", "2"}, s.least("shop")); d != "" {
		t.Error(d)
	}
}

// TestNoObject: the reflector is told what cannot be kept, and logs it.
func TestNoObject(t *testing.T) {
	s := New(fake.NewClientset(), slog.New(slog.DiscardHandler))
	to := target{s.known, s}
	for name, err := range map[string]error{
		"created": to.Add("no object"), "changed": to.Update("no object"), "listed": to.Replace([]any{"no object"}, "1"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMoreThanAnybodyNeeds: a namespace with thousands of items would make each of its
// pods dear. 64 are looked at, of whole LimitRanges.
func TestMoreThanAnybodyNeeds(t *testing.T) {
	of := func(name string, items int) *corev1.LimitRange {
		l := limitRange("shop", name, "1m")
		l.Spec.Limits = slices.Repeat(l.Spec.Limits[1:], items)
		return l
	}
	for name, test := range map[string]struct {
		ranges []*corev1.LimitRange
		want   int
	}{
		"as many as may be": {[]*corev1.LimitRange{of("a", 64)}, 64},
		"too many":          {[]*corev1.LimitRange{of("a", 65)}, 0},
		"together":          {[]*corev1.LimitRange{of("a", 32), of("b", 32)}, 64},
		"one is too large":  {[]*corev1.LimitRange{of("a", 65), of("b", 3)}, 3},
		"one too many":      {[]*corev1.LimitRange{of("a", 40), of("b", 40)}, 40},
	} {
		s := New(fake.NewClientset(), slog.New(slog.DiscardHandler))
		for _, l := range test.ranges {
			if err := (target{s.known, s}).Add(l); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(s.Around("shop").Limits); got != test.want {
			t.Errorf("%s: %d items, want %d", name, got, test.want)
		}
	}
}
