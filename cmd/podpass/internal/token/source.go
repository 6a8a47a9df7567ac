package token

import (
	"context"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation"
)

// account is a ServiceAccount's metadata.
type account struct {
	namespace, name     string
	annotations, labels map[string]string
}

// source gives subject tokens for an audience.
type source = func(audience string) federation.TokenSource

// client asks the cluster; nil: it is not needed, as files give all.
func (o *options) client() (kubernetes.Interface, error) {
	if o.tokenFile != "" {
		if err := readable(o.tokenFile); err != nil {
			return nil, err
		}
		if len(o.files) > 0 {
			return nil, nil
		}
	}
	client, _, err := o.cluster.Client("use -f and --token-file, which need no cluster")
	return client, err
}

// find reads the ServiceAccount, from a file or the cluster, and tells where its
// tokens come from. The cluster is asked for only what no file gives.
func (o *options) find(ctx context.Context, client kubernetes.Interface, stdin io.Reader, name string) (account, source, error) {
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return account{}, nil, err
	}
	a := account{namespace: namespace, name: name}
	if len(o.files) > 0 {
		err = a.fromFiles(stdin, o.files)
	} else {
		err = a.fromCluster(ctx, client)
	}
	if err != nil {
		return account{}, nil, err
	}
	if o.tokenFile != "" {
		return a, o.fromFile, nil
	}
	return a, func(audience string) federation.TokenSource {
		return cluster.TokenRequest{Client: client, Namespace: a.namespace, ServiceAccount: a.name, Audience: audience}
	}, nil
}

func (a *account) fromFiles(stdin io.Reader, files []string) error {
	objects, err := manifest.Read(stdin, files)
	if err != nil {
		return err
	}
	found, ok := manifest.ServiceAccounts(objects, a.namespace)[a.namespace+"/"+a.name]
	if !ok {
		return fmt.Errorf("ServiceAccount %s/%s is in none of the files", a.namespace, a.name)
	}
	a.annotations, a.labels = found.Metadata.Annotations, found.Metadata.Labels
	return nil
}

func (a *account) fromCluster(ctx context.Context, client kubernetes.Interface) error {
	sa, err := client.CoreV1().ServiceAccounts(a.namespace).Get(ctx, a.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return hint.New(fmt.Errorf("ServiceAccount %s/%s does not exist", a.namespace, a.name), "name its namespace with -n")
	case err != nil:
		return fmt.Errorf("read ServiceAccount %s/%s: %w", a.namespace, a.name, err)
	}
	a.annotations, a.labels = sa.Annotations, sa.Labels
	return nil
}

func (o *options) fromFile(string) federation.TokenSource { return federation.TokenFile(o.tokenFile) }
