package broker

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/broker/metrics"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// Broker serves the credentials of one pod.
type Broker struct {
	config  loaded
	cache   *cache.Cache
	metrics *metrics.Metrics // nil: nobody looks at them
	server  http.Handler
	// stopping closes when the server begins to stop.
	stopping chan struct{}
	log      *slog.Logger
}

// New gives a broker; its error lists all that is wrong with the configuration.
// Logs go to logTo.
func New(c Config, logTo io.Writer) (*Broker, error) {
	l, err := c.load(logTo)
	if err != nil {
		return nil, err
	}
	client, err := endpoint.NewClient(l.caBundle)
	if err != nil {
		return nil, fmt.Errorf("ca-bundle: %w", err)
	}
	b := &Broker{config: l, log: l.log, stopping: make(chan struct{})}
	opts := cache.Options{Log: l.log}
	if l.MetricsListen != "" {
		b.metrics = metrics.New(b.remaining, b.clouds()...)
		opts.Observer = b.metrics
	}
	b.cache = cache.New(opts)
	r := &router{pending: b.pending, explain: b.explainHandler(), named: map[string]http.Handler{}}
	b.addAWS(r, client)
	b.addGCP(r, client)
	b.addAzure(r, client)
	b.addOIDC(r, client)
	b.server = b.recovered(r)
	if b.metrics != nil {
		b.server = counted{b.server, b.metrics}
	}
	return b, nil
}

// clouds are those in which the pod has an identity.
func (b *Broker) clouds() []string {
	var list []string
	i := b.config.identities
	for _, c := range []struct {
		name string
		has  bool
	}{{"aws", i.AWS != nil}, {"gcp", i.GCP != nil}, {"azure", i.Azure != nil}, {"oidc", i.OIDC != nil}} {
		if c.has {
			list = append(list, c.name)
		}
	}
	return list
}

// token is the subject token of a cloud, or of a token source.
func (b *Broker) token(name string) federation.TokenFile {
	return federation.TokenFile(filepath.Join(b.config.TokenDir, name))
}
