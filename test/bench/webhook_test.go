package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

type accounts map[string]string

func (a accounts) Get(context.Context, string, string) (sastore.Record, error) {
	return sastore.Record{Annotations: a}, nil
}

func (a accounts) GetLive(ctx context.Context, namespace, name string) (sastore.Record, error) {
	return a.Get(ctx, namespace, name)
}

// BenchmarkReview is one admission, from the request's bytes to the answer's: a pod
// of three containers.
func BenchmarkReview(b *testing.B) {
	one := accounts{"eks.amazonaws.com/role-arn": orders.AWSRole}
	three := accounts{
		"eks.amazonaws.com/role-arn": orders.AWSRole, "podpass.io/gcp-provider": orders.GCPProvider, "podpass.io/gcp-service-account": orders.GCPAccount,
		"azure.workload.identity/client-id": orders.AzureClient, "azure.workload.identity/tenant-id": orders.AzureTenant,
	}
	for _, test := range []struct {
		name, mode string
		accounts   accounts
	}{
		{"no identity", "broker", nil}, {"1 cloud, broker", "broker", one}, {"1 cloud, direct", "direct", one},
		{"3 clouds, broker", "broker", three}, {"3 clouds, direct", "direct", three},
	} {
		b.Run(test.name, func(b *testing.B) {
			settings, err := inject.LoadSettings([]byte("mode: " + test.mode + "\nbroker: {image: podpass-broker:1}\naws: {region: eu-central-1}\n"))
			if err != nil {
				b.Fatal(err)
			}
			h := &webhook.PodHandler{
				ServiceAccounts: test.accounts, Settings: settings, Room: webhook.NewRoom(0), Metrics: webhook.NewMetrics(prometheus.NewRegistry()),
				Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), //nolint:sloglint // what it costs counts
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
	three := accounts{
		"eks.amazonaws.com/role-arn": orders.AWSRole, "podpass.io/gcp-provider": orders.GCPProvider, "podpass.io/gcp-service-account": orders.GCPAccount,
		"azure.workload.identity/client-id": orders.AzureClient, "azure.workload.identity/tenant-id": orders.AzureTenant,
	}
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
		"as many as can be injected": pod(`"name":"p"`, strings.Repeat(`{"name":"c"},`, 400)),
		"80,000 unknown annotations": pod(`"annotations":{`+unknown.String()+`"a":"b"}`, `{"name":"c"},`),
		"a name of 1 MiB":            pod(`"name":"`+strings.Repeat("x", 1<<20)+`"`, strings.Repeat(`{"name":"c","env":[{"name":"AWS_PROFILE","value":"x"}]},`, 10_000)),
		"3 MiB of empty objects":     pod(`"name":"p"`, strings.Repeat(`{},`, 1<<20)),
	} {
		b.Run(name, func(b *testing.B) {
			settings, err := inject.LoadSettings([]byte("broker: {image: podpass-broker:1}\naws: {region: eu-central-1}\n"))
			if err != nil {
				b.Fatal(err)
			}
			h := &webhook.PodHandler{
				ServiceAccounts: three, Settings: settings, Room: webhook.NewRoom(0), Metrics: webhook.NewMetrics(prometheus.NewRegistry()),
				Log: slog.New(slog.DiscardHandler),
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
