package check

import (
	"cmp"
	"context"
	"errors"
	"io"

	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/accounts"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// accounts are those of the files, or of the cluster.
func (o options) accounts(ctx context.Context, config *rest.Config, stdin io.Reader) ([]accounts.Account, error) {
	if len(o.files) > 0 {
		list, err := accounts.OfFiles(stdin, o.files, cmp.Or(o.cluster.GivenNamespace(), "default"))
		if err == nil && list == nil {
			err = hint.New(errors.New("no ServiceAccount in the files"), "leave -f out to read those of the cluster")
		}
		return list, err
	}
	namespace := o.cluster.GivenNamespace()
	if o.cluster.AllNamespaces {
		namespace = ""
	}
	return accounts.List(ctx, config, namespace, o.cluster.Selector)
}
