// Reviewer is the webhook's handler over TLS with the ServiceAccount of the benchmark
// in memory, at the path that says how many clouds it asks for: what a review costs,
// without the watch, the metrics server and the rest of the webhook.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

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

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	settings, err := inject.LoadSettings([]byte("broker: {image: podpass-broker:1}\naws: {region: eu-central-1}\n"))
	if err != nil {
		log.Error("Ended", "error", err)
		os.Exit(1)
	}
	metrics, room := webhook.NewMetrics(prometheus.NewRegistry()), webhook.NewRoom(0)
	mux := http.NewServeMux()
	for path, asked := range map[string]accounts{
		"/0": nil,
		"/1": {"eks.amazonaws.com/role-arn": orders.AWSRole},
		"/3": {
			"eks.amazonaws.com/role-arn": orders.AWSRole, "podpass.io/gcp-provider": orders.GCPProvider, "podpass.io/gcp-service-account": orders.GCPAccount,
			"azure.workload.identity/client-id": orders.AzureClient, "azure.workload.identity/tenant-id": orders.AzureTenant,
		},
	} {
		mux.Handle(path, &webhook.PodHandler{ServiceAccounts: asked, Settings: settings, Room: room, Metrics: metrics, Log: log})
	}
	server := &http.Server{Addr: os.Getenv("LISTEN"), Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second}
	if err := server.ListenAndServeTLS(os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY")); err != nil {
		log.Error("Ended", "error", err)
		os.Exit(1)
	}
}
