package bench

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/bench/handler"
)

// BenchmarkReview is one admission, from the request's bytes to the answer's: a pod
// of three containers.
func BenchmarkReview(b *testing.B) {
	for _, test := range []struct {
		name, mode string
		accounts   handler.Accounts
	}{
		{"no identity", "broker", nil}, {"1 cloud, broker", "broker", handler.One}, {"1 cloud, direct", "direct", handler.One},
		{"3 clouds, broker", "broker", handler.Three}, {"3 clouds, direct", "direct", handler.Three},
	} {
		b.Run(test.name, func(b *testing.B) {
			h, err := handler.New(test.accounts, test.mode, slog.New(slog.NewJSONHandler(io.Discard, nil))) //nolint:sloglint // what it costs counts
			if err != nil {
				b.Fatal(err)
			}
			body := review()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, "/mutate", bytes.NewReader(body)) //nolint:noctx // no time out in a benchmark
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

func review() []byte {
	var containers []byte
	for i := range 3 {
		if i > 0 {
			containers = append(containers, ',')
		}
		containers = fmt.Appendf(containers, `{"name":"c%d","image":"registry.example.com/app:%d","ports":[{"containerPort":80%d}],"env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],`+
			`"resources":{"limits":{"cpu":"1","memory":"1Gi"}},"volumeMounts":[{"name":"data","mountPath":"/data"}],"livenessProbe":{"httpGet":{"path":"/","port":80}},"securityContext":{"runAsNonRoot":true}}`, i, i, i)
	}
	return fmt.Appendf(nil, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"shop","operation":"CREATE",`+
		`"object":{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"orders-","labels":{"app":"orders"}},"spec":{"serviceAccountName":"orders","containers":[%s],"volumes":[{"name":"data","emptyDir":{}}]}}}}`, containers)
}

// BenchmarkReviewWorst is one admission of pods that somebody made to hurt: its time,
// what it allocates, the most that the process held, and the bytes that are answered.
func BenchmarkReviewWorst(b *testing.B) {
	var unknown strings.Builder
	for i := range 80_000 {
		fmt.Fprintf(&unknown, `"podpass.io/x%d":"",`, i)
	}
	pod := func(metadata, containers string) []byte {
		return []byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"shop","operation":"CREATE",` +
			`"object":{"metadata":{` + metadata + `},"spec":{"serviceAccountName":"orders","containers":[` + containers + `{}]}}}}`)
	}
	for name, body := range map[string][]byte{
		"12,000 containers":          pod(`"name":"p"`, strings.Repeat(`{"name":"c"},`, 12_000)),
		"as many as can be injected": pod(`"name":"p"`, strings.Repeat(`{"name":"c"},`, 1_250)),
		"80,000 unknown annotations": pod(`"annotations":{`+unknown.String()+`"a":"b"}`, `{"name":"c"},`),
		"a name of 1 MiB":            pod(`"name":"`+strings.Repeat("x", 1<<20)+`"`, strings.Repeat(`{"name":"c","env":[{"name":"AWS_PROFILE","value":"x"}]},`, 10_000)),
		"3 MiB of empty objects":     pod(`"name":"p"`, strings.Repeat(`{},`, 1<<20)),
	} {
		b.Run(name, func(b *testing.B) {
			h, err := handler.New(handler.Three, "broker", slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var answer int
			var peak uint64
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, "/mutate", bytes.NewReader(body)) //nolint:noctx // no time out in a benchmark
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
				answer = w.Body.Len()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
			b.ReportMetric(float64(answer), "answer-bytes")
			b.ReportMetric(float64(peak)/(1<<20), "heap-MiB")
		})
	}
}
