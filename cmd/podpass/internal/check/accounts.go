package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubeconfig"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// accounts are those of the files, or of the cluster.
func (o options) accounts(ctx context.Context, stdin io.Reader) ([]account, error) {
	if len(o.files) == 0 {
		return o.listed(ctx)
	}
	objects, err := manifest.Read(stdin, o.files)
	if err != nil {
		return nil, err
	}
	var list []account
	for _, a := range manifest.ServiceAccounts(objects, cmp.Or(o.namespace, "default")) {
		m := a.Metadata
		list = append(list, account{cmp.Or(m.Namespace, o.namespace, "default"), m.Name, m.Annotations, m.Labels})
	}
	if list == nil {
		return nil, hint.New(errors.New("no ServiceAccount in the files"), "leave -f out to read those of the cluster")
	}
	return list, nil
}

// pageSize of a list: some hundred KiB of metadata.
const pageSize = 500

func (o options) listed(ctx context.Context) ([]account, error) {
	config, err := kubeconfig.Client(kubeconfig.Load(o.kubeconfig, o.context), o.version, "use -f, which needs no cluster")
	if err != nil {
		return nil, err
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	accounts := client.Resource(corev1.SchemeGroupVersion.WithResource("serviceaccounts")).Namespace(o.namespace)
	var all []account
	page := metav1.ListOptions{Limit: pageSize}
	for {
		list, err := accounts.List(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("list ServiceAccounts: %w", err)
		}
		for _, a := range list.Items {
			all = append(all, account{a.Namespace, a.Name, a.Annotations, a.Labels})
		}
		if page.Continue = list.Continue; page.Continue == "" {
			return all, nil
		}
	}
}
