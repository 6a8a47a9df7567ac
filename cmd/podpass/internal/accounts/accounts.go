// Package accounts reads the ServiceAccounts that the commands are about, of manifests or
// of a cluster.
package accounts

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Account is what decides which identities a ServiceAccount asks for.
type Account struct {
	Namespace, Name     string
	Annotations, Labels map[string]string
}

// Resolve is what podpass makes of it for whatever pod.
func (a Account) Resolve(in serviceaccount.Installation) serviceaccount.Answer {
	return serviceaccount.Resolve(serviceaccount.Request{
		Namespace: a.Namespace, Name: a.Name, Annotations: a.Annotations, Labels: a.Labels, AnyPod: true,
	}, in)
}

// Sort sorts by namespace and name.
func Sort(list []Account) {
	slices.SortFunc(list, func(a, b Account) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
}

// OfFiles are those in files, sorted; namespace is that of objects that name none.
func OfFiles(stdin io.Reader, files []string, namespace string) ([]Account, error) {
	objects, err := manifest.Read(stdin, files)
	if err != nil {
		return nil, err
	}
	var list []Account
	for _, o := range manifest.ServiceAccounts(objects, namespace) {
		m := o.Metadata
		list = append(list, Account{cmp.Or(m.Namespace, namespace), m.Name, m.Annotations, m.Labels})
	}
	Sort(list)
	return list, nil
}

// Find is the one of that name; its error is that there is none among those of files.
func Find(list []Account, namespace, name string) (Account, error) {
	i := slices.IndexFunc(list, func(a Account) bool { return a.Namespace == namespace && a.Name == name })
	if i < 0 {
		return Account{}, hint.New(fmt.Errorf("ServiceAccount %s/%s is in none of the files", namespace, name), "name its namespace with -n")
	}
	return list[i], nil
}

// Get reads one of the cluster.
func Get(ctx context.Context, config *rest.Config, namespace, name string) (Account, error) {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return Account{}, fmt.Errorf("kubeconfig: %w", err)
	}
	a, err := client.Resource(cluster.ServiceAccounts).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return Account{}, hint.New(fmt.Errorf("ServiceAccount %s/%s does not exist", namespace, name), "name its namespace with -n")
	case err != nil:
		return Account{}, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return Account{a.Namespace, a.Name, a.Annotations, a.Labels}, nil
}

// List reads those of a namespace, or of all if that is empty, sorted.
func List(ctx context.Context, config *rest.Config, namespace, selector string) ([]Account, error) {
	var all []Account
	err := cluster.EachMetadata(ctx, config, cluster.ServiceAccounts, namespace, metav1.ListOptions{LabelSelector: selector}, func(a *metav1.PartialObjectMetadata) error {
		all = append(all, Account{a.Namespace, a.Name, a.Annotations, a.Labels})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list ServiceAccounts: %w", err)
	}
	Sort(all)
	return all, nil
}
