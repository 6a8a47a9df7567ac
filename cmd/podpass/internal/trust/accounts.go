package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/cmd/podpass/internal/accounts"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

// accounts are the ServiceAccounts that are asked for, once for each cluster.
func (o renderOptions) accounts(ctx context.Context, c cloud, stdin io.Reader, stderr io.Writer) ([]trust.Account, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	issuers, err := ParseIssuers(o.issuers)
	if err != nil {
		return nil, err
	}
	var files []accounts.Account
	if len(o.files) > 0 {
		if files, err = o.filed(stdin); err != nil {
			return nil, err
		}
		if issuers != nil { // no cluster is needed
			settings, defaults, err := o.cluster.Settings(ctx, nil, stderr)
			if err != nil {
				return nil, err
			}
			return o.concerned(c, each(files, issuers, settings.Installation), defaults)
		}
	}
	clusters, err := o.cluster.Each()
	if err != nil {
		return nil, err
	}
	var all []trust.Account
	missing := false // some settings are podpass's defaults
	for _, flags := range clusters {
		k, err := connect(flags, "--issuer")
		if err != nil {
			return nil, err
		}
		settings, defaults, err := flags.Settings(ctx, k.client, stderr)
		if err != nil {
			return nil, err
		}
		list, issuers := files, issuers
		if list == nil {
			if list, err = o.listed(ctx, k); err != nil {
				return nil, err
			}
		}
		if issuers == nil {
			own, err := k.issuer(ctx, c.keys)
			if err != nil {
				return nil, err
			}
			issuers = []trust.Cluster{own}
		}
		all, missing = append(all, each(list, issuers, settings.Installation)...), missing || defaults
	}
	return o.concerned(c, all, missing)
}

// each is each ServiceAccount in each cluster.
func each(list []accounts.Account, clusters []trust.Cluster, in serviceaccount.Installation) []trust.Account {
	var all []trust.Account
	for _, a := range list {
		answer := a.Resolve(in)
		for _, c := range clusters {
			all = append(all, trust.Account{Cluster: c, Namespace: a.Namespace, Name: a.Name, Answer: answer})
		}
	}
	return all
}

func (o renderOptions) validate() error {
	switch {
	case o.cluster.AllNamespaces && o.cluster.GivenNamespace() != "":
		return hint.New(errors.New("--all-namespaces and --namespace exclude one another"), "leave one of them out")
	case len(o.names) > 0 && (o.cluster.AllNamespaces || o.cluster.Selector != ""):
		return hint.New(errors.New("names go with neither --all-namespaces nor --selector"), "name ServiceAccounts of one namespace, or select them")
	case len(o.issuers) > 0 && len(o.cluster.Contexts) > 1:
		return hint.New(errors.New("--issuer with several --context does not say whose issuer it is"), "leave --issuer out, so that each cluster tells its own")
	}
	return nil
}

// filed are the ServiceAccounts of files.
func (o renderOptions) filed(stdin io.Reader) ([]accounts.Account, error) {
	selector, err := labels.Parse(o.cluster.Selector)
	if err != nil {
		return nil, fmt.Errorf("--selector: %w", err)
	}
	namespace := cmp.Or(o.cluster.GivenNamespace(), "default")
	list, err := accounts.OfFiles(stdin, o.files, namespace)
	if err != nil {
		return nil, err
	}
	for _, name := range o.names {
		if _, err := accounts.Find(list, namespace, name); err != nil {
			return nil, err
		}
	}
	chosen := []accounts.Account{}
	for _, a := range list {
		if (o.cluster.AllNamespaces || a.Namespace == namespace) && (len(o.names) == 0 || slices.Contains(o.names, a.Name)) && selector.Matches(labels.Set(a.Labels)) {
			chosen = append(chosen, a)
		}
	}
	return chosen, nil
}

// listed are the ServiceAccounts of a cluster.
func (o renderOptions) listed(ctx context.Context, k *kube) ([]accounts.Account, error) {
	if len(o.names) == 0 {
		namespace := k.namespace
		if o.cluster.AllNamespaces {
			namespace = ""
		}
		return accounts.List(ctx, k.config, namespace, o.cluster.Selector)
	}
	var list []accounts.Account
	for _, name := range o.names {
		a, err := accounts.Get(ctx, k.config, k.namespace, name)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// concerned leaves out who asks for nothing in the cloud, unless it was asked for by
// name. defaults: the settings are podpass's own.
func (o renderOptions) concerned(c cloud, all []trust.Account, defaults bool) ([]trust.Account, error) {
	var list []trust.Account
	for _, a := range all {
		if len(o.names) > 0 && len(a.Answer.Errors) > 0 {
			return nil, exit.Found(hint.Problems(a.Answer.Errors, defaults))
		}
		if c.asks(a.Answer) || len(a.Answer.Errors) > 0 {
			list = append(list, a)
			continue
		}
		if len(o.names) > 0 {
			return nil, exit.Found(hint.New(fmt.Errorf("ServiceAccount %s/%s has no identity in %s", a.Namespace, a.Name, c.title),
				"annotate it with "+c.annotation+", or give the settings that map it with --settings"))
		}
	}
	if len(list) == 0 {
		return nil, exit.Found(hint.New(fmt.Errorf("none of %d ServiceAccounts has an identity in %s", len(all), c.title),
			"annotate them with "+c.annotation+", or look in all namespaces with -A"))
	}
	return list, nil
}
