// Package inject is `podpass inject`: the webhook's decision about a manifest, made
// by the same functions, without a cluster.
package inject

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

const long = `Print manifests as podpass's webhook would admit their pods.

Pods, and the pod templates of Deployments, StatefulSets, DaemonSets, ReplicaSets,
Jobs and CronJobs, are shown with what podpass adds; all other objects are left
out. The identities come from the annotations of the ServiceAccounts, which are
looked for in the manifests themselves and in the files of --service-account; so are
LimitRanges, by which the sidecar's resources go, and RuntimeClasses.

Warnings, as kubectl would show them, go to standard error. A pod that would be
denied is an error: its reason and the fix are printed, and the exit status is 1;
it is 2 if podpass could not look.

Nothing is sent anywhere. The output is for reading: apply the manifest itself,
and leave the injection to the webhook.`

const examples = `  # A Deployment and its ServiceAccount in one file
  podpass inject -f app.yaml

  # With the installation's own settings
  kubectl get configmap -n podpass-system -l podpass.io/settings=current -o jsonpath='{.items[0].data.config\.yaml}' > settings.yaml
  podpass inject -f app.yaml --settings settings.yaml

  # Only the operations of the JSON patch
  helm template ./chart | podpass inject -f - -o patch`

type options struct {
	files           []string
	serviceAccounts []string
	settings        string
	output          string
	namespace       string
}

// Command is the cobra command. The version chooses the broker's image where no
// settings are given.
func Command(version string) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:     "inject -f FILE",
		Short:   "Show what the webhook would do to a pod or workload",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), version)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file with pods or workloads, - for standard input; may be repeated")
	f.StringArrayVar(&o.serviceAccounts, "service-account", nil, "file with ServiceAccounts; may be repeated")
	f.StringVar(&o.settings, "settings", "", "the webhook's configuration file (default: podpass's defaults)")
	f.StringVarP(&o.output, "output", "o", "yaml", "yaml, json, or patch (the RFC 6902 operations)")
	f.StringVarP(&o.namespace, "namespace", "n", "default", "namespace of objects that name none")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")        // completion only
	_ = cmd.MarkFlagFilename("service-account", "yaml", "yml", "json") // completion only
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml")                // completion only
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"yaml", "json", "patch"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o options) run(stdin io.Reader, stdout, stderr io.Writer, version string) error {
	if len(o.files) == 0 {
		return hint.New(errors.New("no manifest given"), "name a file with -f, or - for standard input")
	}
	write, err := printer(o.output)
	if err != nil {
		return err
	}
	s, err := manifest.Settings(o.settings, version)
	if err != nil {
		return err
	}
	objects, err := manifest.Read(stdin, o.files)
	if err != nil {
		return err
	}
	accounts, err := manifest.Read(stdin, o.serviceAccounts)
	if err != nil {
		return err
	}
	all := append(accounts, objects...)
	a := admission{settings: s, defaults: o.settings == "", namespace: o.namespace, accounts: manifest.ServiceAccounts(all, o.namespace), stderr: stderr}
	if a.cluster, err = readCluster(all, o.namespace); err != nil {
		return err
	}
	var errs []error
	var admitted []result
	for _, obj := range objects {
		r, ok, err := a.admit(obj)
		switch {
		case err != nil:
			errs = append(errs, err)
		case ok:
			admitted = append(admitted, r)
		}
	}
	if len(errs) == 0 && len(admitted) == 0 {
		return hint.New(errors.New("no pod and no workload in the manifests"), "podpass knows Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and CronJob")
	}
	return errors.Join(append(errs, write(stdout, admitted))...)
}
