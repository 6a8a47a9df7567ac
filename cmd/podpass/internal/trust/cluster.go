package trust

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/trust"
)

// kube is one cluster.
type kube struct {
	name      string // of the context; empty: there is none
	namespace string // that was chosen
	by        string // the flag that says its issuer
	config    *rest.Config
	client    kubernetes.Interface
}

// connect reaches the cluster of flags; by is the flag that says an issuer without asking.
func connect(flags *cluster.Flags, by string) (*kube, error) {
	k := &kube{name: flags.ContextName(), by: by}
	var err error
	if k.client, k.config, err = flags.Client("use -f and " + by + ", which need no cluster"); err != nil {
		return nil, err
	}
	k.namespace, err = flags.Namespace()
	return k, err
}

// issuer asks the API server who it says that it is in tokens, and for its public keys.
func (k *kube) issuer(ctx context.Context, keys bool) (trust.Cluster, error) {
	return OwnIssuer(ctx, k.client, k.name, k.by, keys)
}

// OwnIssuer asks the API server of the cluster that is called name who it says that it is
// in tokens, and for its public keys; by is the flag that says an issuer without asking.
func OwnIssuer(ctx context.Context, client kubernetes.Interface, name, by string, keys bool) (trust.Cluster, error) {
	c := trust.Cluster{Name: name}
	document, err := cluster.Issuer(ctx, client)
	if err == nil && keys {
		c.JWKS, err = cluster.JWKS(ctx, client)
	}
	if err != nil {
		next := "give the cluster's issuer with " + by
		if apierrors.IsForbidden(err) {
			next += ", or have somebody bind you to the ClusterRole system:service-account-issuer-discovery"
			err = errors.New("you may not read its discovery document") // the client's own words are "unknown"
		}
		return trust.Cluster{}, hint.New(fmt.Errorf("ask the cluster for its issuer: %w", err), next)
	}
	c.Issuer = document.Issuer
	return c, nil
}

// ParseIssuers reads the values of --issuer: [NAME=]URL.
func ParseIssuers(list []string) ([]trust.Cluster, error) {
	var clusters []trust.Cluster
	for _, text := range list {
		c := trust.Cluster{Issuer: text}
		if name, url, ok := strings.Cut(text, "="); ok && !strings.Contains(name, ":") {
			c = trust.Cluster{Name: name, Issuer: url}
		}
		if c.Issuer == "" {
			return nil, hint.New(fmt.Errorf("--issuer %q has no URL", text), "use --issuer https://oidc.example.com, or --issuer prod=https://oidc.example.com")
		}
		clusters = append(clusters, c)
	}
	return clusters, nil
}
