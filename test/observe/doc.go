// Package observe holds what podpass shows to those who watch it: the series of the real
// webhook and broker, scraped by a real Prometheus; the chart's alerts, by promtool; its
// dashboard, of which each query is run; and the objects of prometheus-operator, on a real
// API server.
package observe
