package attack

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// honest is somebody who creates opted-in pods all the while, by dry-run: admission is
// the same, and nothing piles up.
type honest struct {
	client kubernetes.Interface
	wg     sync.WaitGroup
	cancel context.CancelFunc

	mu       sync.Mutex
	admitted int
	slowest  time.Duration
	failures []error
}

// beside starts one.
func beside(t *testing.T, client kubernetes.Interface) *honest {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := &honest{client: client, cancel: cancel}
	t.Cleanup(h.stop)
	h.wg.Go(func() {
		for ctx.Err() == nil {
			h.create(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return h
}

func (h *honest) stop() {
	h.cancel()
	h.wg.Wait()
}

func (h *honest) create(ctx context.Context) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "orders-", Labels: map[string]string{"podpass.io/inject": "true"}},
		Spec:       corev1.PodSpec{ServiceAccountName: "orders", Containers: []corev1.Container{{Name: "app", Image: "app:1"}}},
	}
	start := time.Now()
	got, err := h.client.CoreV1().Pods("shop").Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	took := time.Since(start)
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil:
		h.failures = append(h.failures, err)
	case got.Labels["podpass.io/injected"] != "broker":
		h.failures = append(h.failures, fmt.Errorf("admitted without its identity"))
	default:
		h.admitted++
		h.slowest = max(h.slowest, took)
	}
}

// within stops, and fails the test unless each pod was injected within limit.
func (h *honest) within(t *testing.T, limit time.Duration) {
	t.Helper()
	h.stop()
	t.Logf("beside the attack: %d pods injected, the slowest in %s; %d failed", h.admitted, h.slowest.Round(time.Millisecond), len(h.failures))
	if h.admitted == 0 {
		t.Error("nobody created a pod: the test shows nothing")
	}
	if h.slowest > limit {
		t.Errorf("a pod of somebody else took %s, want at most %s", h.slowest, limit)
	}
	if len(h.failures) > 0 {
		t.Errorf("%d pods of somebody else were not injected; the first: %v", len(h.failures), h.failures[0])
	}
}
