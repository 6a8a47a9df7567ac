// Package cluster is how podpass reaches a cluster: by kubectl's own flags and
// kubeconfig, with the rights of whoever runs it, and with the settings of the
// installation that it finds there.
package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Flags are those of kubectl that say which cluster, as whom, and which of its objects;
// and --settings. They are not safe for concurrent use until they are parsed.
type Flags struct {
	// AllNamespaces (-A) and Selector (-l) are only there where a command adds them.
	AllNamespaces bool
	Selector      string
	// SettingsFile is the webhook's configuration file; empty: the cluster's is read.
	SettingsFile string
	// Contexts are several clusters, where AddContexts has been called.
	Contexts []string

	config  *genericclioptions.ConfigFlags
	added   *pflag.FlagSet // of Add
	version string
}

// New gives flags for a command of this version of podpass.
func New(version string) *Flags {
	f := &Flags{config: genericclioptions.NewConfigFlags(true), version: cmp.Or(version, "dev")}
	f.config.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c.UserAgent = "podpass/" + f.version
		c.QPS = -1 // the API server's own fairness is what counts
		// The answers' warnings are for whoever writes objects.
		c.WarningHandler = rest.NoWarnings{}
		return c
	}
	return f
}

// shown are the flags in help texts; kubectl's others work too.
var shown = map[string]string{
	"namespace":       "namespace (default: the kubeconfig's)",
	"kubeconfig":      "kubeconfig file (default: KUBECONFIG, ~/.kube/config, or the pod's own); kubectl's other flags for a cluster work, too",
	"context":         "context of the kubeconfig",
	"as":              "user to impersonate",
	"request-timeout": "how long one request to the cluster may take (30s, 1m); 0: as long as it does",
}

// Add adds kubectl's flags and --settings; namespace is the usage of -n, empty for the
// usual one.
func (f *Flags) Add(set *pflag.FlagSet, namespace string) {
	added := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.config.AddFlags(added)
	added.VisitAll(func(flag *pflag.Flag) {
		usage, ok := shown[flag.Name]
		flag.Usage, flag.Hidden = cmp.Or(usage, flag.Usage), !ok
	})
	if namespace != "" {
		added.Lookup("namespace").Usage = namespace
	}
	added.StringVar(&f.SettingsFile, "settings", "", "the webhook's configuration file (default: that of the installation in the cluster)")
	f.added = added
	set.AddFlagSet(added)
}

// AddSelection adds -A and -l, where several objects may be meant.
func (f *Flags) AddSelection(set *pflag.FlagSet) {
	set.BoolVarP(&f.AllNamespaces, "all-namespaces", "A", false, "all namespaces")
	set.StringVarP(&f.Selector, "selector", "l", "", "label `selector`")
}

// Complete completes the values of the flags of cmd from the cluster.
func (f *Flags) Complete(cmd *cobra.Command) {
	for flag, complete := range map[string]cobra.CompletionFunc{
		"namespace": func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return f.Names(cmd.Context(), Namespaces), cobra.ShellCompDirectiveNoFileComp
		},
		"context": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return f.ContextNames(), cobra.ShellCompDirectiveNoFileComp
		},
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete) // completion only
	}
}

// Namespace is the one that was chosen, by flag or kubeconfig.
func (f *Flags) Namespace() (string, error) {
	namespace, _, err := f.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", hint.New(fmt.Errorf("kubeconfig: %w", err), "set --namespace, --kubeconfig or --context")
	}
	return namespace, nil
}

// GivenNamespace is that of the flag alone.
func (f *Flags) GivenNamespace() string { return *f.config.Namespace }

// GivenContext is that of the flag alone.
func (f *Flags) GivenContext() string { return *f.config.Context }

// GivenKubeconfig is that of the flag alone.
func (f *Flags) GivenKubeconfig() string { return *f.config.KubeConfig }

// REST is how the cluster is asked; without is what the person can do who has none.
func (f *Flags) REST(without string) (*rest.Config, error) {
	loader := f.config.ToRawKubeConfigLoader()
	fail := func(err error) (*rest.Config, error) {
		return nil, hint.New(fmt.Errorf("kubeconfig: %w", err), "set --kubeconfig, or "+without)
	}
	// Where nothing says which cluster, kubectl's flags mean localhost:8080.
	raw, err := loader.RawConfig()
	if err != nil {
		return fail(err)
	}
	if len(raw.Clusters) == 0 && *f.config.APIServer == "" {
		if _, err := rest.InClusterConfig(); err != nil {
			return fail(fmt.Errorf("no cluster is configured, and %w", err))
		}
	}
	c, err := f.config.ToRESTConfig()
	if err != nil {
		return fail(err)
	}
	return c, nil
}

// Client is a client for the cluster.
func (f *Flags) Client(without string) (kubernetes.Interface, *rest.Config, error) {
	c, err := f.REST(without)
	if err != nil {
		return nil, nil, err
	}
	client, err := kubernetes.NewForConfig(c)
	if err != nil {
		return nil, nil, hint.New(fmt.Errorf("kubeconfig: %w", err), "set --kubeconfig, or "+without)
	}
	return client, c, nil
}

// ContextName names the kubeconfig's context in use; empty: none, as in a pod.
func (f *Flags) ContextName() string {
	if f.config.Context != nil && *f.config.Context != "" {
		return *f.config.Context
	}
	raw, err := f.config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

// ContextCluster is what a context of the kubeconfig says of its cluster, files by their
// whole paths. Its user is not looked at.
func (f *Flags) ContextCluster(context string) (*clientcmdapi.Cluster, error) {
	raw, err := f.config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	c, ok := raw.Contexts[context]
	if !ok {
		return nil, hint.New(fmt.Errorf("the kubeconfig has no context %q", context), "kubectl config get-contexts shows them")
	}
	of, ok := raw.Clusters[c.Cluster]
	if !ok {
		return nil, fmt.Errorf("the kubeconfig has no cluster %q, which context %q is of", c.Cluster, context)
	}
	return of, nil
}

// ContextNames are those of the kubeconfig, sorted; where it cannot be read there are none.
func (f *Flags) ContextNames() []string {
	raw, err := f.config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	var list []string
	for name := range raw.Contexts {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
