package audit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// apiServer has pods with podpass's label and sidecar, each of size bytes and some hundred
// more, and counts the lists of them; most is what its client takes.
func apiServer(t testing.TB, most, pods, size int) (a *Auditor, lists *atomic.Int64) {
	t.Helper()
	lists = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lists.Add(1)
		q := r.URL.Query()
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		from, _ := strconv.Atoi(q.Get("continue")) // 0: from the first
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
		for i := from; i < min(from+limit, pods); i++ {
			list.Items = append(list.Items, *pod("shop", fmt.Sprint("orders-", i), "orders", func(p *corev1.Pod) {
				p.Labels[inject.InjectedLabel] = "broker"
				p.Annotations["filling"] = strings.Repeat("x", size)
				sidecar(p)
			}))
		}
		if from+limit < pods {
			list.Continue = strconv.Itoa(from + limit)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list) // a client that has gone
	}))
	t.Cleanup(server.Close)
	client, err := newClient(&rest.Config{Host: server.URL, QPS: -1}, most)
	if err != nil {
		t.Fatal(err)
	}
	return &Auditor{Client: client, Settings: inject.Fixed(inject.Settings{})}, lists
}

// TestPages: few lists of usual pods, and of large ones no more in one than fit into the
// bound, here of 80 KiB. None is left out, and none is seen twice.
func TestPages(t *testing.T) {
	for name, tt := range map[string]struct {
		pods, size int
		lists      int64
	}{
		"usual pods": {pods: 250, size: 10, lists: 3},
		"one":        {pods: 1, size: 10, lists: 1},
		"none":       {pods: 0, lists: 1},
		// The first with 100 and with 20 are refused.
		"four in a list": {pods: 9, size: 15 << 10, lists: 5},
		// And with 4.
		"one in a list": {pods: 3, size: 50 << 10, lists: 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, lists := apiServer(t, 80<<10, tt.pods, tt.size)
			seen := map[string]int{}
			err := a.pods(t.Context(), types.NamespacedName{Namespace: "shop", Name: "orders"}, inject.InjectedLabel, func(p *corev1.Pod) error {
				seen[p.Name]++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.pods {
				if n := seen[fmt.Sprint("orders-", i)]; n != 1 {
					t.Errorf("orders-%d was seen %d times", i, n)
				}
			}
			if lists.Load() != tt.lists || len(seen) != tt.pods {
				t.Errorf("%d pods in %d lists, want %d in %d", len(seen), lists.Load(), tt.pods, tt.lists)
			}
		})
	}
}

// TestPodAboveTheBound: what can be no pod of etcd's ends the look at its ServiceAccount
// with an error, and not with the process.
func TestPodAboveTheBound(t *testing.T) {
	a, _ := apiServer(t, 80<<10, 1, 80<<10)
	err := a.pods(t.Context(), types.NamespacedName{Namespace: "shop", Name: "orders"}, inject.InjectedLabel, func(*corev1.Pod) error { return nil })
	if !apierrors.IsRequestEntityTooLargeError(err) {
		t.Errorf("got %v, want 413", err)
	}
}

// BenchmarkLabelled is a look at whether the labels of a ServiceAccount's pods are true, with
// the pauses between its lists.
func BenchmarkLabelled(b *testing.B) {
	const pods = 1000
	a, lists := apiServer(b, maxAnswer, pods, 10<<10)
	for b.Loop() {
		err := a.pods(b.Context(), types.NamespacedName{Namespace: "shop", Name: "orders"}, inject.InjectedLabel, func(p *corev1.Pod) error {
			missed, err := a.missed(p, sastore.Record{})
			if missed != nil {
				b.Errorf("%s lacks %v", p.Name, missed)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(lists.Load())/float64(b.N)/pods*1000, "lists/1000pods")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/pods*50_000, "s/50000pods")
}
