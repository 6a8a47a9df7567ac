// Package handler is the webhook's handler as the benchmarks ask it: the ServiceAccount
// that a review is about is in memory.
package handler

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// Accounts are every ServiceAccount there is: all have the same annotations.
type Accounts map[string]string

// One and Three ask for an identity in AWS alone, and in three clouds.
var (
	One   = Accounts{"eks.amazonaws.com/role-arn": orders.AWSRole}
	Three = Accounts{
		"eks.amazonaws.com/role-arn": orders.AWSRole, "podpass.io/gcp-provider": orders.GCPProvider, "podpass.io/gcp-service-account": orders.GCPAccount,
		"azure.workload.identity/client-id": orders.AzureClient, "azure.workload.identity/tenant-id": orders.AzureTenant,
	}
)

// Get implements webhook.ServiceAccounts.
func (a Accounts) Get(context.Context, string, string) (sastore.Record, error) {
	return sastore.Record{Annotations: a}, nil
}

// GetLive implements webhook.ServiceAccounts.
func (a Accounts) GetLive(ctx context.Context, namespace, name string) (sastore.Record, error) {
	return a.Get(ctx, namespace, name)
}

// New gives a handler in a mode, with metrics and room of its own.
func New(a Accounts, mode string, log *slog.Logger) (*webhook.PodHandler, error) {
	settings, err := inject.LoadSettings([]byte("mode: " + mode + "\nbroker: {image: podpass-broker:1}\naws: {region: eu-central-1}\n"))
	if err != nil {
		return nil, err
	}
	return &webhook.PodHandler{
		ServiceAccounts: a, Settings: inject.Fixed(settings), Room: webhook.NewRoom(0), Metrics: webhook.NewMetrics(prometheus.NewRegistry()), Log: log,
	}, nil
}
