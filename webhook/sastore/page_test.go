package sastore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// apiServer lists ServiceAccounts as an API server does, page by page; blob is how many
// bytes are annotated to one.
type apiServer struct {
	all     int
	blob    func(i int) int
	lists   atomic.Int64
	largest atomic.Int64 // number of items that were ever asked for

	mu     sync.Mutex
	limits []int // that were asked for, in this order
}

var aaa = strings.Repeat("a", 16<<20)

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	query := r.URL.Query()
	if query.Get("watch") != "" {
		<-r.Context().Done()
		return
	}
	s.lists.Add(1)
	from, _ := strconv.Atoi(query.Get("continue")) // "": from the start
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		http.Error(w, "no limit", http.StatusBadRequest)
		return
	}
	s.largest.Store(max(s.largest.Load(), int64(limit)))
	s.mu.Lock()
	s.limits = append(s.limits, limit)
	s.mu.Unlock()
	end := min(from+limit, s.all)
	head := metav1.ListMeta{ResourceVersion: "7"}
	if end < s.all {
		head.Continue = strconv.Itoa(end)
	}
	meta, _ := json.Marshal(head)
	fmt.Fprintf(w, `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadataList","metadata":%s,"items":[`, meta)
	for i := from; i < end; i++ {
		if i > from {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, `{"metadata":{"namespace":"shop","name":"n%06d","annotations":{"example.com/blob":"`, i)
		_, err := io.WriteString(w, aaa[:s.blob(i)])
		fmt.Fprint(w, `"}}}`)
		if err != nil {
			return // the client has had enough
		}
	}
	fmt.Fprint(w, "]}")
}

func (s *apiServer) store(t *testing.T) *Store {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	store, err := NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestPagesGoByBytes: no page of more than maxPageBytes is taken in, whatever follows
// what, every ServiceAccount is known in the end, and small ones come many at a time.
func TestPagesGoByBytes(t *testing.T) {
	each := func(n int) func(int) int { return func(int) int { return n } }
	for name, test := range map[string]struct {
		all     int
		blob    func(i int) int
		lists   int64 // at most
		largest int64
	}{
		"ordinary":      {7500, each(100), 5, maxPage},
		"all of 250 kB": {30, each(250_000), 14, firstPage},
		"small, then large": {2520, func(i int) int {
			if i < 2500 {
				return 0
			}
			return 250_000
		}, 25, maxPage},
		"each larger than a page":                      {3, each(3 << 20), 8, firstPage},
		"two too large for one page, after small ones": {4, func(i int) int { return []int{3 << 20, 0, maxPageBytes * 2 / 3, maxPageBytes * 2 / 3}[i] }, 9, firstPage},
		"the border": {1000, each(3000), 3, firstPage},
	} {
		t.Run(name, func(t *testing.T) {
			server := &apiServer{all: test.all, blob: test.blob}
			known := newIndex()
			version, err := list(t.Context(), server.store(t).client, func(page []metav1.PartialObjectMetadata) {
				size := 0
				for i := range page {
					known.put(&page[i], nil)
					size += len(page[i].Annotations["example.com/blob"])
				}
				if size > maxPageBytes && len(page) > 1 {
					t.Errorf("a page of %d bytes", size)
				}
			})
			if err != nil || version != "7" {
				t.Fatalf("version %q, %v", version, err)
			}
			if n := len(known.byName["shop"]); n != test.all {
				t.Errorf("%d known, want %d", n, test.all)
			}
			if n := server.lists.Load(); n > test.lists {
				t.Errorf("%d requests, want at most %d", n, test.lists)
			}
			if n := server.largest.Load(); n != test.largest {
				t.Errorf("at most %d ServiceAccounts a page, want %d", n, test.largest)
			}
		})
	}
}

// TestPagesGrow where there is little in them: to twice as many, 2,000 at most, while a
// page has less than half of what it may have. One that has more than that is asked for
// again, a quarter of it.
func TestPagesGrow(t *testing.T) {
	for name, test := range map[string]struct {
		all, blob int
		want      []int
	}{
		"nothing in them":  {6000, 0, []int{500, 1000, 2000, 2000, 2000}},
		"just below half":  {2500, 1900, []int{500, 1000, 1000}},
		"more than half":   {1500, 2200, []int{500, 500, 500}},
		"more than a page": {600, 5000, []int{500, 125, 250, 250}},
	} {
		t.Run(name, func(t *testing.T) {
			server := &apiServer{all: test.all, blob: func(int) int { return test.blob }}
			n := 0
			if _, err := list(t.Context(), server.store(t).client, func(page []metav1.PartialObjectMetadata) { n += len(page) }); err != nil || n != test.all {
				t.Fatalf("%d of %d, %v", n, test.all, err)
			}
			if diff := cmp.Diff(test.want, server.limits); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnObjectWithoutEnd: even one ServiceAccount is not read for ever, nor again and again
// without a pause; and that a page is too large, which is mended, is not in the log.
func TestAnObjectWithoutEnd(t *testing.T) {
	for blob, want := range map[int]bool{16<<20 - 1000: true, 16 << 20: false} {
		server := &apiServer{all: 1, blob: func(int) int { return blob }}
		var log bytes.Buffer
		ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(&log, nil)))
		if _, err := list(ctx, server.store(t).client, func([]metav1.PartialObjectMetadata) {}); (err == nil) != want {
			t.Errorf("%d bytes: %v", blob, err)
		}
		if diff := cmp.Diff([]int{500, 125, 31, 7, 1}, server.limits); diff != "" {
			t.Error(diff)
		}
		if log.Len() > 0 {
			t.Errorf("log: %s", &log)
		}
	}
}

// TestNewForConfig leaves the configuration to its other users as it was.
func TestNewForConfig(t *testing.T) {
	config := &rest.Config{Host: "https://api.example.com"}
	if _, err := NewForConfig(config); err != nil || config.WrapTransport != nil {
		t.Errorf("%v, or the answers of all clients are bounded", err)
	}
	if _, err := NewForConfig(&rest.Config{Host: "://"}); err == nil {
		t.Error("a host that is none: no error")
	}
}

// TestTransport: without an allowance answers are as long as they are, and an error of
// the connection is that.
func TestTransport(t *testing.T) {
	down := errors.New("connection refused")
	req := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(context.WithValue(t.Context(), allowanceKey{}, &allowance{left: 3}))
	if _, err := boundAnswers(answer{err: down}).RoundTrip(req); !errors.Is(err, down) { //nolint:bodyclose // there is none
		t.Errorf("got %v, want %v", err, down)
	}
	for body, want := range map[string]error{"abc": nil, "abcd": errPageTooLarge} {
		req := req.WithContext(context.WithValue(t.Context(), allowanceKey{}, &allowance{left: 3}))
		resp, err := boundAnswers(answer{body: body}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, want) {
			t.Errorf("%d bytes of at most 3: %v, want %v", len(body), err, want)
		}
	}
	resp, err := boundAnswers(answer{body: "abcd"}).RoundTrip(req.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("without an allowance: %v", err)
	}
}

type answer struct {
	body string
	err  error
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}
