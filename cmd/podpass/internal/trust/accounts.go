package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

// object is what decides of a ServiceAccount.
type object struct {
	namespace, name     string
	annotations, labels map[string]string
}

// accounts are the ServiceAccounts that are asked for, once for each cluster.
func (o renderOptions) accounts(ctx context.Context, c cloud, stdin io.Reader) ([]trust.Account, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	settings, err := manifest.Settings(o.settings, o.version)
	if err != nil {
		return nil, err
	}
	given, err := parseIssuers(o.issuers)
	if err != nil {
		return nil, err
	}
	var fromFiles []object
	if len(o.files) > 0 {
		if fromFiles, err = o.filed(stdin); err != nil {
			return nil, err
		}
	}
	contexts := o.contexts
	if len(contexts) == 0 {
		contexts = []string{""} // the current one
	}
	var all []trust.Account
	add := func(list []object, clusters []trust.Cluster) {
		for _, a := range list {
			answer := serviceaccount.Resolve(serviceaccount.Request{
				Namespace: a.namespace, Name: a.name, Annotations: a.annotations, Labels: a.labels, AnyPod: true,
			}, settings.Installation)
			for _, cluster := range clusters {
				all = append(all, trust.Account{Cluster: cluster, Namespace: a.namespace, Name: a.name, Answer: answer})
			}
		}
	}
	if fromFiles != nil && given != nil {
		add(fromFiles, given) // no cluster is needed
		return o.concerned(c, all)
	}
	for _, name := range contexts {
		k, err := o.connect(name)
		if err != nil {
			return nil, err
		}
		list, clusters := fromFiles, given
		if list == nil {
			if list, err = o.listed(ctx, k); err != nil {
				return nil, err
			}
		}
		if clusters == nil {
			cluster, err := k.issuer(ctx, c.keys)
			if err != nil {
				return nil, err
			}
			clusters = []trust.Cluster{cluster}
		}
		add(list, clusters)
	}
	return o.concerned(c, all)
}

func (o renderOptions) validate() error {
	switch {
	case o.all && o.namespace != "":
		return hint.New(errors.New("--all-namespaces and --namespace exclude one another"), "leave one of them out")
	case len(o.names) > 0 && (o.all || o.selector != ""):
		return hint.New(errors.New("names go with neither --all-namespaces nor --selector"), "name ServiceAccounts of one namespace, or select them")
	case len(o.issuers) > 0 && len(o.contexts) > 1:
		return hint.New(errors.New("--issuer with several --context does not say whose issuer it is"), "leave --issuer out, so that each cluster tells its own")
	}
	return nil
}

// filed are the ServiceAccounts of files.
func (o renderOptions) filed(stdin io.Reader) ([]object, error) {
	selector, err := labels.Parse(o.selector)
	if err != nil {
		return nil, fmt.Errorf("--selector: %w", err)
	}
	objects, err := manifest.Read(stdin, o.files)
	if err != nil {
		return nil, err
	}
	namespace := cmp.Or(o.namespace, "default")
	list := []object{}
	for _, head := range manifest.ServiceAccounts(objects, namespace) {
		m := head.Metadata
		a := object{cmp.Or(m.Namespace, namespace), m.Name, m.Annotations, m.Labels}
		if (o.all || a.namespace == namespace) && (len(o.names) == 0 || slices.Contains(o.names, a.name)) && selector.Matches(labels.Set(a.labels)) {
			list = append(list, a)
		}
	}
	for _, name := range o.names {
		if !slices.ContainsFunc(list, func(a object) bool { return a.name == name }) {
			return nil, hint.New(fmt.Errorf("ServiceAccount %s/%s is in none of the files", namespace, name), "name its namespace with -n")
		}
	}
	slices.SortFunc(list, func(a, b object) int {
		return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
	})
	return list, nil
}

// concerned leaves out who asks for nothing in the cloud, unless it was asked for by
// name.
func (o renderOptions) concerned(c cloud, all []trust.Account) ([]trust.Account, error) {
	var list []trust.Account
	for _, a := range all {
		if len(o.names) > 0 && len(a.Answer.Errors) > 0 {
			return nil, exit.Found(hint.Problems(a.Answer.Errors, o.settings == ""))
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
