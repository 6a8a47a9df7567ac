package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/podpass-io/podpass/broker/awsapi"
	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/broker/imdsapi"
	"github.com/podpass-io/podpass/broker/metrics"
	"github.com/podpass-io/podpass/broker/tokenapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
)

// Broker serves the credentials of one pod.
type Broker struct {
	config  loaded
	cache   *cache.Cache
	metrics *metrics.Metrics // nil: nobody looks at them
	server  http.Handler
	log     *slog.Logger
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
	b := &Broker{config: l, log: l.log}
	opts := cache.Options{Log: l.log}
	if l.MetricsListen != "" {
		b.metrics = &metrics.Metrics{Remaining: b.remaining}
		opts.Observer = b.metrics
	}
	b.cache = cache.New(opts)
	r := &router{pending: b.pending, explain: b.explainHandler(), named: map[string]http.Handler{}}
	b.addAWS(r, client)
	b.addGCP(r, client)
	b.addAzure(r, client)
	b.addOIDC(r, client)
	b.server = r
	if b.metrics != nil {
		b.server = counted{r, b.metrics}
	}
	return b, nil
}

// token is the subject token of a cloud, or of a token source.
func (b *Broker) token(name string) federation.TokenFile {
	return federation.TokenFile(filepath.Join(b.config.TokenDir, name))
}

func (b *Broker) addAWS(r *router, client *http.Client) {
	id := b.config.identities.AWS
	if id == nil {
		return
	}
	c := &aws.Client{Identity: *id, Token: b.token("aws"), Endpoint: b.config.AWSSTSEndpoint, HTTP: client, Via: b.cache}
	role := id.RoleARN
	if n := len(id.Chain); n > 0 {
		role = id.Chain[n-1]
	}
	e := federation.Keyed(c.Credentials())
	b.cache.Pin(e)
	r.aws = &awsapi.Handler{
		Credentials: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
		RoleARN:     role, Secret: federation.Secret(b.config.Secret), Log: b.log,
	}
	for _, o := range id.Others {
		other := &aws.Client{Identity: id.Other(o), Token: c.Token, Endpoint: c.Endpoint, HTTP: client, Via: b.cache}
		e := federation.Keyed(other.Credentials())
		b.cache.Pin(e)
		r.named[awsapi.Path+"/"+o.Name] = &awsapi.Handler{
			Credentials: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
			RoleARN:     o.RoleARN, Secret: r.aws.Secret, Log: b.log,
		}
	}
	if b.config.imds {
		r.imds = &imdsapi.Handler{Credentials: r.aws.Credentials, RoleARN: role, Region: id.Region, Secret: r.aws.Secret, Log: b.log}
	}
}

func (b *Broker) addGCP(r *router, client *http.Client) {
	id := b.config.identities.GCP
	if id == nil {
		return
	}
	c := &gcp.Client{
		Identity: *id, Token: b.token("gcp"), HTTP: client, Via: b.cache,
		Endpoints: gcp.Endpoints{Universe: b.config.GCPUniverseDomain, STS: b.config.GCPSTSEndpoint, IAMCredentials: b.config.GCPIAMCredentialsEndpoint},
	}
	usual := federation.Keyed(c.AccessToken(nil))
	b.cache.Pin(usual)
	r.gcp = &gcpapi.Handler{
		AccessToken: func(ctx context.Context, scopes []string) (federation.Credential, error) {
			if len(scopes) == 0 {
				return b.cache.Get(ctx, usual)
			}
			return b.cache.Get(ctx, c.AccessToken(scopes))
		},
		IDToken: func(ctx context.Context, audience string) (federation.Credential, error) {
			return b.cache.Get(ctx, c.IDToken(audience))
		},
		Principal: func(ctx context.Context) string {
			t, err := c.Token.SubjectToken(ctx)
			if err != nil {
				return id.Provider // the token request will tell why
			}
			return gcp.Principal(id.Provider, t.Subject)
		},
		Identity: *id, Universe: b.config.GCPUniverseDomain, Log: b.log,
		Instance: b.config.instance,
	}
}

func (b *Broker) addAzure(r *router, client *http.Client) {
	id := b.config.identities.Azure
	if id == nil {
		return
	}
	c := &azure.Client{Identity: *id, Token: b.token("azure"), AuthorityHost: b.config.AzureAuthorityHost, HTTP: client}
	// What most Azure SDK clients ask for first: with it the broker finds out whether
	// trust works.
	b.cache.Pin(c.AccessToken(azure.ManagementResource(b.config.AzureAuthorityHost), ""))
	r.azure = &azureapi.Handler{
		AccessToken: c.Source(b.cache), ClientID: id.ClientID, Others: map[string]azureapi.Source{},
		Secret: federation.Secret(b.config.Secret), Log: b.log,
	}
	for _, a := range id.Others {
		if other, ok := c.For(a.ClientID); ok {
			b.cache.Pin(other.AccessToken(azure.ManagementResource(b.config.AzureAuthorityHost), ""))
			r.azure.Others[a.ClientID] = other.Source(b.cache)
		}
	}
}

func (b *Broker) addOIDC(r *router, client *http.Client) {
	if b.config.identities.OIDC == nil {
		return
	}
	r.oidc = true
	for _, s := range b.config.identities.OIDC.Sources {
		c := &oidc.Client{Source: s, Token: b.token(s.TokenFile()), HTTP: client}
		e := federation.Keyed(c.AccessToken())
		b.cache.Pin(e)
		r.named[tokenapi.Path+"/"+s.Name] = &tokenapi.Handler{
			AccessToken: func(ctx context.Context) (federation.Credential, error) { return b.cache.Get(ctx, e) },
			Secret:      federation.Secret(b.config.Secret), Log: b.log,
		}
	}
}

// Bounds of the server. Requests are a few hundred bytes, from one pod.
const (
	maxHeaderBytes = 8 << 10
	// maxConnections bounds what an application that opens connections and never
	// closes them can cost; those beyond wait until others end.
	maxConnections = 1024
	readTimeout    = 5 * time.Second
	// writeTimeout is longer than the longest wait for an exchange.
	writeTimeout = 15 * time.Second
	idleTimeout  = 60 * time.Second
	// stopTimeout is how long requests may take to end after SIGTERM.
	stopTimeout = 5 * time.Second
)

// Run serves until ctx ends, then lets requests end.
func (b *Broker) Run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; annotate the pod with podpass.io/broker-port if another container uses the port", err)
	}
	return b.serve(ctx, listener)
}

func (b *Broker) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:        b.server,
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	i := b.config.identities
	b.log.Info("Serving", "address", listener.Addr().String(), "aws", i.AWS != nil, "gcp", i.GCP != nil, "azure", i.Azure != nil, "oidc", i.OIDC != nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.cache.Run(ctx) })
	group.Go(func() error { return b.strictStart(ctx) })
	group.Go(func() error { return b.serveMetrics(ctx) })
	group.Go(func() error { return b.tidyUp(ctx) })
	group.Go(func() error {
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			return errors.Join(fmt.Errorf("stop: %w", err), server.Close())
		}
		b.log.Info("Stopped")
		return nil
	})
	return group.Wait()
}

// tidyUp gives back the memory of the first exchanges, which is most of what the
// broker ever needs: after them it idles for the better part of an hour, in every
// pod of the cluster.
func (b *Broker) tidyUp(ctx context.Context) error {
	const poll = 200 * time.Millisecond
	for len(b.cache.Pending()) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
	}
	debug.FreeOSMemory()
	return nil
}
