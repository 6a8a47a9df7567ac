package kubeconfig

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/kube"
)

// byFlags is the other way to say which API server it is.
const byFlags = "describe the API server by --server and --certificate-authority, or name its --context"

// installed gives the cluster that an installation knows by that name: of --settings, or
// of the cluster whose tokens it takes, which is that of --issuer-context, else the
// current one.
func (o *options) installed(ctx context.Context, name string, stderr io.Writer) (kube.Cluster, error) {
	clusters, none, err := o.clusters(ctx, stderr)
	if err != nil {
		return kube.Cluster{}, err
	}
	c, ok := clusters[name]
	switch {
	case ok:
		return c, nil
	case none:
		return c, hint.New(fmt.Errorf("which API server is %s: there is no installation of podpass that says so", name), byFlags+", or give the installation's settings by --settings")
	case len(clusters) == 0:
		return c, hint.New(fmt.Errorf("which API server is %s: the installation names no cluster", name), "add it to the chart's value kube.clusters; or "+byFlags)
	}
	return c, hint.New(fmt.Errorf("which API server is %s: the installation has %s", name, strings.Join(slices.Sorted(maps.Keys(clusters)), ", ")), "take one of these; or "+byFlags)
}

// timeout of what is asked of a cluster: somebody waits.
const timeout = time.Minute

// clusters are those of the installation; none: there is none, or it may not be read.
func (o *options) clusters(ctx context.Context, stderr io.Writer) (all map[string]kube.Cluster, none bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	flags, err := o.issuer()
	if err != nil {
		return nil, false, err
	}
	var client kubernetes.Interface // none: the file says all
	if o.cluster.SettingsFile == "" {
		if client, _, err = flags.Client(byFlags); err != nil {
			return nil, false, err
		}
	}
	s, none, err := flags.Settings(ctx, client, stderr)
	if err != nil {
		return nil, false, hint.New(fmt.Errorf("read the installation's settings: %w", err), byFlags)
	}
	return s.Kube.Clusters, none, nil
}

// issuer is the cluster of --issuer-context.
func (o *options) issuer() (flags *cluster.Flags, err error) {
	flags = o.cluster
	for _, f := range []struct{ flag, value string }{{"kubeconfig", o.machine.Kubeconfig}, {"context", o.machine.Context}} {
		if f.value == "" {
			continue
		}
		if flags, err = flags.With(f.flag, f.value); err != nil {
			return nil, err
		}
	}
	return flags, nil
}

// patience of somebody who has pressed the tab key.
const patience = 2 * time.Second

// names of the installation's clusters, for completion: where they cannot be had there are
// none.
func (o *options) names(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	clusters, _, err := o.clusters(ctx, io.Discard)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(clusters))
}
