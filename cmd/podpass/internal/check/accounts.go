package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// accounts are those of the files, or of the cluster.
func (o options) accounts(ctx context.Context, config *rest.Config, stdin io.Reader) ([]account, error) {
	if len(o.files) == 0 {
		return o.listed(ctx, config)
	}
	namespace := cmp.Or(o.cluster.GivenNamespace(), "default")
	objects, err := manifest.Read(stdin, o.files)
	if err != nil {
		return nil, err
	}
	var list []account
	for _, a := range manifest.ServiceAccounts(objects, namespace) {
		m := a.Metadata
		list = append(list, account{cmp.Or(m.Namespace, namespace), m.Name, m.Annotations, m.Labels})
	}
	if list == nil {
		return nil, hint.New(errors.New("no ServiceAccount in the files"), "leave -f out to read those of the cluster")
	}
	return list, nil
}

func (o options) listed(ctx context.Context, config *rest.Config) ([]account, error) {
	namespace := o.cluster.GivenNamespace()
	if o.cluster.AllNamespaces {
		namespace = ""
	}
	var all []account
	err := cluster.EachMetadata(ctx, config, cluster.ServiceAccounts, namespace, metav1.ListOptions{LabelSelector: o.cluster.Selector}, func(a *metav1.PartialObjectMetadata) error {
		all = append(all, account{a.Namespace, a.Name, a.Annotations, a.Labels})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list ServiceAccounts: %w", err)
	}
	return all, nil
}
