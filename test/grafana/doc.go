// Package grafana holds the chart's dashboard against the types that Grafana publishes. It
// is a module of its own: they are of no use to anything else.
package grafana
