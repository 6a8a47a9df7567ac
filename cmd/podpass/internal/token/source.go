package token

import (
	"context"
	"io"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/accounts"
	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation"
)

// source gives subject tokens for an audience.
type source = func(audience string) federation.TokenSource

// client asks the cluster; nil: it is not needed, as files give all.
func (o *options) client() (kubernetes.Interface, *rest.Config, error) {
	if o.tokenFile != "" {
		if err := readable(o.tokenFile); err != nil {
			return nil, nil, err
		}
		if len(o.files) > 0 {
			return nil, nil, nil
		}
	}
	return o.cluster.Client("use -f and --token-file, which need no cluster")
}

// find reads the ServiceAccount, from a file or the cluster. The cluster is asked for
// only what no file gives.
func (o *options) find(ctx context.Context, config *rest.Config, stdin io.Reader, name string) (accounts.Account, error) {
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return accounts.Account{}, err
	}
	if len(o.files) == 0 {
		return accounts.Get(ctx, config, namespace, name)
	}
	list, err := accounts.OfFiles(stdin, o.files, namespace)
	if err != nil {
		return accounts.Account{}, err
	}
	return accounts.Find(list, namespace, name)
}

// tokens are where the ServiceAccount's come from.
func (o *options) tokens(client kubernetes.Interface, a accounts.Account) source {
	if o.tokenFile != "" {
		return func(string) federation.TokenSource { return federation.TokenFile(o.tokenFile) }
	}
	return func(audience string) federation.TokenSource {
		return cluster.TokenRequest{Client: client, Namespace: a.Namespace, ServiceAccount: a.Name, Audience: audience}
	}
}
