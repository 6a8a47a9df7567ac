package issuer

import (
	"context"
	"fmt"
	"net/http"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

// world is a cluster and what is published of it.
type world struct {
	client             kubernetes.Interface
	outside            *http.Client
	issuer             string
	namespace, account string
}

// newWorld makes a client with a connection a request, so that looks through a load
// balancer meet different API servers.
func newWorld(config *rest.Config) (kubernetes.Interface, error) {
	tls, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	proxy := config.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	transport, err := rest.HTTPWrappersForConfig(config, &http.Transport{
		Proxy: proxy, TLSClientConfig: tls, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfigAndClient(config, &http.Client{Transport: transport, Timeout: config.Timeout})
}

// looks are how many there are for each API server, where there are several: with three
// behind one address that chooses by chance, fifteen looks miss one in 150.
const looks = 5

// Look implements rotate.World.
func (w world) Look(ctx context.Context) (rotate.Look, error) {
	var l rotate.Look
	for range w.servers(ctx) {
		s, err := ask(ctx, w.client, "cluster")
		if err != nil {
			return l, err
		}
		l.Servers = append(l.Servers, s.keys)
		token, err := mint(ctx, w.client, w.namespace, w.account)
		if err != nil {
			return l, err
		}
		l.Tokens = append(l.Tokens, token)
	}
	l.Published = issuer.Fetch(ctx, w.outside, w.issuer)
	l.Now = time.Now().UTC().Truncate(time.Second)
	return l, ctx.Err()
}

// servers is how many looks are needed: one, if there is one API server; more, if there
// are several or nobody may say how many.
func (w world) servers(ctx context.Context) int {
	slices, err := w.client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kubernetes"})
	if err != nil {
		return looks
	}
	n := 0
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			n += len(e.Addresses)
		}
	}
	switch n {
	case 0:
		return looks
	case 1:
		return 1
	}
	return looks * n
}

// signer finds the key that signs now among those of the API servers.
func signer(l rotate.Look) (issuer.Keys, error) {
	var keys issuer.Keys
	for _, t := range l.Tokens {
		if _, ok := keys.Find(t.KeyID); ok {
			continue
		}
		for _, set := range l.Servers {
			if k, ok := set.Find(t.KeyID); ok {
				keys = append(keys, k)
				break
			}
		}
		if _, ok := keys.Find(t.KeyID); !ok {
			return nil, fmt.Errorf("the API server signs with kid %s, and does not publish that key itself", t.KeyID)
		}
	}
	return keys, nil
}
