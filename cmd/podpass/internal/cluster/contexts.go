package cluster

import (
	"errors"

	"github.com/spf13/pflag"
)

// AddContexts adds --context as a flag that may be repeated, in the place of kubectl's:
// for commands that are about several clusters. Add has to come after it.
func (f *Flags) AddContexts(set *pflag.FlagSet) {
	f.config.Context = nil
	set.StringArrayVar(&f.Contexts, "context", nil, "context of the kubeconfig; may be repeated: several clusters")
}

// Each gives the flags for each of the contexts that were chosen, or f if none was.
func (f *Flags) Each() ([]*Flags, error) {
	if len(f.Contexts) == 0 {
		return []*Flags{f}, nil
	}
	var all []*Flags
	for _, name := range f.Contexts {
		one, err := f.With("context", name)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// With are the same flags for another cluster: with flag, which is "context" or
// "kubeconfig", set to value, and without the context that was chosen.
func (f *Flags) With(flag, value string) (*Flags, error) {
	other, set := New(f.version), pflag.NewFlagSet("", pflag.ContinueOnError)
	other.Add(set, "")
	other.AllNamespaces, other.Selector = f.AllNamespaces, f.Selector
	var errs []error
	f.added.VisitAll(func(given *pflag.Flag) {
		if !given.Changed || given.Name == "context" {
			return
		}
		to := set.Lookup(given.Name)
		to.Changed = true
		if list, ok := given.Value.(pflag.SliceValue); ok {
			errs = append(errs, to.Value.(pflag.SliceValue).Replace(list.GetSlice()))
			return
		}
		errs = append(errs, to.Value.Set(given.Value.String()))
	})
	return other, errors.Join(append(errs, set.Set(flag, value))...)
}
