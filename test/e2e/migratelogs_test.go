package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/sdk"
)

// request is what an SDK in a pod has said of one request.
type request struct {
	app, pod string
	at       time.Time
	sdk.Result
}

// watcher reads what the SDKs in all pods of a namespace say, from each pod's start to its
// end. It is safe for concurrent use.
type watcher struct {
	client kubernetes.Interface

	mu       sync.Mutex
	requests []request
	problems []string
	followed map[string]bool // by pod, container and restart
}

// watch starts one; it ends with the test.
func watch(t *testing.T, client kubernetes.Interface) *watcher {
	t.Helper()
	w := &watcher{client: client, followed: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			pods, err := client.CoreV1().Pods(migrated).List(ctx, metav1.ListOptions{LabelSelector: "app"})
			if err != nil {
				w.problem(ctx, "list the pods: %v", err)
			} else {
				for _, p := range pods.Items {
					w.follow(ctx, &all, p)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(300 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { stop(); all.Wait() })
	return w
}

// follow reads the containers of a pod that run an SDK and that nobody reads yet.
func (w *watcher) follow(ctx context.Context, all *sync.WaitGroup, p corev1.Pod) {
	containers := slices.Concat(p.Spec.InitContainers, p.Spec.Containers)
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == s.Name })
		key := fmt.Sprint(p.UID, s.Name, s.RestartCount)
		if i < 0 || !strings.HasPrefix(containers[i].Image, "podpass.io/sdk-") || s.State.Waiting != nil || w.followed[key] {
			continue
		}
		w.followed[key] = true
		all.Go(func() { w.read(ctx, p.Labels["app"], p.Name, s.Name) })
	}
}

func (w *watcher) read(ctx context.Context, app, pod, container string) {
	log, err := w.client.CoreV1().Pods(migrated).GetLogs(pod, &corev1.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
	if err != nil {
		w.problem(ctx, "%s: read the log: %v", pod, err)
		return
	}
	defer log.Close()
	for lines := json.NewDecoder(log); ; {
		var r sdk.Result
		if err := lines.Decode(&r); err != nil {
			if !errors.Is(err, io.EOF) {
				w.problem(ctx, "%s: a line of the log: %v", pod, err)
			}
			return
		}
		w.mu.Lock()
		w.requests = append(w.requests, request{app, pod, time.Now(), r})
		w.mu.Unlock()
	}
}

func (w *watcher) problem(ctx context.Context, format string, args ...any) {
	if ctx.Err() != nil {
		return // the test is over
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// since are an app's requests from a time on.
func (w *watcher) since(app string, from time.Time) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.requests), func(r request) bool { return r.app != app || r.at.Before(from) })
}

// await waits until the last n requests of each app, all of them after a time, are as ok
// has it.
func (w *watcher) await(t *testing.T, what string, apps []*migrant, from time.Time, n int, ok func(*migrant, request) bool) {
	t.Helper()
	const patience = 2 * time.Minute
	for _, m := range apps {
		if !m.asks() {
			continue
		}
		n := n
		if m.once() {
			n = 1
		}
		for end := time.Now().Add(patience); ; pause(t, 200*time.Millisecond) {
			got := w.since(m.Name, from)
			last := got[max(0, len(got)-n):]
			if len(last) == n && !slices.ContainsFunc(last, func(r request) bool { return !r.OK || !ok(m, r) }) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %s: not after %s; %d requests since, the last: %+v", m.Name, what, patience, len(got), last)
			}
		}
	}
}

// check holds all requests to that each has succeeded, and says how many there were.
func (w *watcher) check(t *testing.T, apps []*migrant) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.problems {
		t.Error(p)
	}
	for _, m := range apps {
		if !m.asks() {
			continue
		}
		var n, failed int
		var before time.Time
		var gap time.Duration
		pods := map[string]bool{}
		for _, r := range w.requests {
			if r.app != m.Name {
				continue
			}
			n++
			pods[r.pod] = true
			if !before.IsZero() {
				gap = max(gap, r.at.Sub(before))
			}
			before = r.at
			if !r.OK {
				if failed++; failed == 1 {
					t.Errorf("%s: a request of pod %s failed: %s", m.Name, r.pod, r.Error)
				}
			}
		}
		t.Logf("%-30s %-22s %4d requests of %d pods, %d failed, %4.1fs without one at most", m.Workload, m.sdk+" "+m.Cloud, n, len(pods), failed, gap.Seconds())
	}
}
