package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubeconfig"
	"github.com/podpass-io/podpass/federation/trust"
)

// kube is one cluster.
type kube struct {
	name      string // of the context; empty: the current one, or none
	namespace string // of the context
	metadata  metadata.Interface
	raw       rest.Interface
}

// without is what people can do who have no cluster.
const without = "use -f and --issuer, which need no cluster"

// connect reaches the cluster of a context; "": the current one.
func (s source) connect(name string) (*kube, error) {
	loader := kubeconfig.Load(s.kubeconfig, name)
	config, err := kubeconfig.Client(loader, s.version, without)
	if err != nil {
		return nil, err
	}
	k := &kube{name: name}
	if k.namespace, _, err = loader.Namespace(); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if all, err := loader.RawConfig(); err == nil && name == "" {
		k.name = all.CurrentContext
	}
	if k.metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	k.raw = d.RESTClient()
	return k, nil
}

var serviceAccounts = schema.GroupVersionResource{Version: corev1.SchemeGroupVersion.Version, Resource: "serviceaccounts"}

// get reads one ServiceAccount.
func (k *kube) get(ctx context.Context, namespace, name string) (object, error) {
	a, err := k.metadata.Resource(serviceAccounts).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return object{}, hint.New(fmt.Errorf("ServiceAccount %s/%s does not exist", namespace, name), "name its namespace with -n")
	case err != nil:
		return object{}, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return object{a.Namespace, a.Name, a.Annotations, a.Labels}, nil
}

// pageSize of a list: some hundred KiB of metadata.
const pageSize = 500

// listed are the ServiceAccounts of a cluster.
func (o renderOptions) listed(ctx context.Context, k *kube) ([]object, error) {
	namespace := o.namespace
	if namespace == "" && !o.all {
		namespace = k.namespace
	}
	list := []object{}
	if len(o.names) > 0 {
		for _, name := range o.names {
			a, err := k.get(ctx, namespace, name)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
		}
		return list, nil
	}
	page := metav1.ListOptions{Limit: pageSize, LabelSelector: o.selector}
	for {
		got, err := k.metadata.Resource(serviceAccounts).Namespace(namespace).List(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("list ServiceAccounts: %w", err)
		}
		for _, a := range got.Items {
			list = append(list, object{a.Namespace, a.Name, a.Annotations, a.Labels})
		}
		if page.Continue = got.Continue; page.Continue == "" {
			return list, nil
		}
	}
}

// issuer asks the API server who it says that it is in tokens, and for its public keys.
func (k *kube) issuer(ctx context.Context, keys bool) (trust.Cluster, error) {
	fail := func(err error) (trust.Cluster, error) {
		next := "give the cluster's issuer with --issuer"
		if apierrors.IsForbidden(err) {
			next += ", or have somebody bind you to the ClusterRole system:service-account-issuer-discovery"
			err = errors.New("you may not read its discovery document") // the client's own words are "unknown"
		}
		return trust.Cluster{}, hint.New(fmt.Errorf("ask the cluster for its issuer: %w", err), next)
	}
	raw, err := k.raw.Get().AbsPath("/.well-known/openid-configuration").DoRaw(ctx)
	if err != nil {
		return fail(err)
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(raw, &document); err != nil || document.Issuer == "" {
		return fail(errors.New("its discovery document names no issuer"))
	}
	c := trust.Cluster{Name: k.name, Issuer: document.Issuer}
	if keys {
		if c.JWKS, err = k.raw.Get().AbsPath("/openid/v1/jwks").DoRaw(ctx); err != nil {
			return fail(err)
		}
	}
	return c, nil
}

// parseIssuers reads [NAME=]URL.
func parseIssuers(list []string) ([]trust.Cluster, error) {
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
