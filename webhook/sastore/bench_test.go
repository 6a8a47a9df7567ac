package sastore

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

const (
	// storeServer is the environment variable that makes a process of TestStoreProcess.
	storeServer = "PODPASS_TEST_STORE_SERVER"
	// The chart's memory limit, and the part of it that is Go's.
	chartLimit, goLimit = 128, "96MiB"
)

// BenchmarkStart is the start of a store in a process of its own: time until it knows all,
// and memory. It fails where that is beyond what the chart allows.
func BenchmarkStart(b *testing.B) {
	kinds := worst()
	kinds["labels"] = nil
	for name, annotations := range kinds {
		o := serviceAccount("n000000", annotations)
		all := 10_000
		o.UID = "7ef8f4f7-3f5e-4c50-a7e4-0c5f1b5b8f0e"
		if name == "labels" { // nothing but etcd bounds these: 1.5 MiB
			all, o.Labels = 1000, map[string]string{}
			for i := range 4500 {
				o.Labels[fmt.Sprintf("example.com/%0250d", i)] = strings.Repeat("a", 60)
			}
		}
		b.Run(fmt.Sprint(all, " with ", name), func(b *testing.B) { start(b, o, all, chartLimit, time.Minute) })
	}
	for annotated, key := range map[string]string{"ordinary": "meta.helm.sh/release-name", "annotated": "eks.amazonaws.com/role-arn"} {
		o := serviceAccount("n000000", map[string]string{key: "arn:aws:iam::111122223333:role/team/app", "meta.helm.sh/release-namespace": "shop"})
		o.Labels = map[string]string{"app.kubernetes.io/name": "app", "app.kubernetes.io/managed-by": "Helm"}
		o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "helm", Operation: "Update", APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{".":{},"f:meta.helm.sh/release-name":{},"f:meta.helm.sh/release-namespace":{}},"f:labels":{".":{},"f:app.kubernetes.io/managed-by":{},"f:app.kubernetes.io/name":{}}}}`)}}
		most := map[string]float64{"ordinary": 48, "annotated": chartLimit}[annotated]
		b.Run("100000 "+annotated, func(b *testing.B) { start(b, o, 100_000, most, 5*time.Second) })
	}
}

func start(b *testing.B, o *metav1.PartialObjectMetadata, all int, most float64, longest time.Duration) {
	server := httptest.NewServer(protobufServer(b, o, all))
	defer server.Close()
	defer server.CloseClientConnections()
	for b.Loop() { // one run says it all
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestStoreProcess$")
		cmd.Env = append(os.Environ(), storeServer+"="+server.URL, "GOMEMLIMIT="+goLimit)
		raw, err := cmd.Output()
		if err != nil {
			b.Fatalf("%v: %s", err, raw)
		}
		var known int
		var seconds, peak, rss float64
		if _, err := fmt.Sscanf(string(raw), "%d %g %g %g", &known, &seconds, &peak, &rss); err != nil {
			b.Fatalf("%v: %s", err, raw)
		}
		b.ReportMetric(seconds, "start-s")
		b.ReportMetric(peak, "peak-MiB")
		b.ReportMetric(rss, "RSS-MiB")
		if known != all || peak > chartLimit || rss > most || seconds > longest.Seconds() {
			b.Errorf("%d of %d known after %.1f s (at most %v), %.0f MiB at the peak (at most %d), %.0f MiB then (at most %.0f)", known, all, seconds, longest, peak, chartLimit, rss, most)
		}
	}
	b.ReportMetric(0, "ns/op") // means nothing here
}

// TestStoreProcess is the process that BenchmarkStart measures.
func TestStoreProcess(t *testing.T) {
	host := os.Getenv(storeServer)
	if host == "" {
		t.Skip("a part of BenchmarkStart")
	}
	began := time.Now()
	s, err := NewForConfig(&rest.Config{Host: host, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	for !s.Synced() {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	time.Sleep(2 * time.Second) // until what the list took is given back
	all, _ := s.Len()
	fmt.Println(all, took.Seconds(), memory(t, "VmHWM:"), memory(t, "VmRSS:"))
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// memory of this process as the kernel accounts for it, in MiB.
func memory(t *testing.T, field string) float64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(string(raw), field)
	kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}

// protobufServer lists all times o, each under another name, in the encoding that an API
// server and the metadata client agree on. It keeps no page: one may be of gigabytes.
func protobufServer(tb testing.TB, o *metav1.PartialObjectMetadata, all int) http.Handler {
	tb.Helper()
	item, err := o.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	head, tail, ok := strings.Cut(string(item), "n000000") // its name
	if !ok {
		tb.Fatal("no name to be replaced")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Get("watch") != "" {
			w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf;stream=watch")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush() // loopback
			<-r.Context().Done()
			return
		}
		from, _ := strconv.Atoi(query.Get("continue")) // "": from the start
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil {
			http.Error(w, "no limit", http.StatusBadRequest)
			return
		}
		end := min(from+limit, all)
		list := metav1.ListMeta{ResourceVersion: "7"}
		if end < all {
			list.Continue = strconv.Itoa(end)
		}
		raw, _ := list.Marshal()
		raw = field(nil, 1, len(raw), raw)
		before := field(nil, 2, len(item), nil)
		kind, _ := (&runtime.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}).Marshal()
		w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
		_, err = w.Write(field(field([]byte("k8s\x00"), 1, len(kind), kind), 2, len(raw)+(end-from)*(len(before)+len(item)), raw))
		for i := from; i < end && err == nil; i++ {
			_, err = fmt.Fprintf(w, "%s%sn%06d%s", before, head, i, tail)
		}
	})
}

// field appends a field of protobuf, of size bytes, to b, and data of it.
func field(b []byte, number, size int, data []byte) []byte {
	b = binary.AppendUvarint(b, uint64(number<<3|2))
	return append(binary.AppendUvarint(b, uint64(size)), data...)
}
