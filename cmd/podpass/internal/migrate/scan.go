package migrate

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/page"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

const scanLong = `Find static credentials of AWS, Google Cloud, Azure and clusters, and who uses them: the
credential, where it is kept, and the containers, workloads and ServiceAccounts that read
it from there.

It looks into Secrets, ConfigMaps, Helm's releases, pod templates of whatever kind, custom
resources too, and their annotations and command lines. What a key is, its shape tells
first; temporary credentials, examples and placeholders are none.

Without -f it reads the cluster, with your rights: the namespace, or with -A all. What you
may not read is said. With -f it reads manifests: a file, a folder with all that is in it,
or what helm template and kustomize build print. Nothing is changed.

No value is ever shown. The same credential has the same fingerprint in all its places;
with --fingerprint-key also in another run.

The exit status is 0 if there is no static key, 1 if there is, 2 if podpass could not
look, or found nothing in what it may read of all.`

const scanExamples = `  # Which static keys are there in the namespace, and who uses them?
  podpass migrate scan -n shop

  # The whole cluster, as a page to look at
  podpass migrate scan -A -o html > keys.html

  # A chart, before it is installed
  helm template shop ./chart | podpass migrate scan -f -

  # A repository, in a pipeline
  podpass migrate scan -f deploy/ -o sarif > keys.sarif

  # Keep what was found, to compare it later
  podpass migrate scan -A -o json --fingerprint-key key > keys.json`

type scanOptions struct {
	cluster     *cluster.Flags
	files       []string
	output      string
	fingerprint string
	version     string
	// federated has workloads in the graph that have an identity alone, too.
	federated bool
}

func scanCommand(version string) *cobra.Command {
	o := &scanOptions{version: version}
	cmd := &cobra.Command{
		Use:     "scan",
		Short:   "Find static credentials, and who uses them",
		Long:    scanLong,
		Example: scanExamples,
		Args:    cobra.NoArgs,
		RunE:    o.run,
	}
	o.addSource(cmd)
	cmd.Flags().StringVar(&o.fingerprint, "fingerprint-key", "", "`file` with a secret of your own, by which fingerprints are the same in every run")
	report.AddFormat(cmd, &o.output, "; json is the graph, html its picture")
	return cmd
}

// addSource adds the flags that say what is read.
func (o *scanOptions) addSource(cmd *cobra.Command) {
	o.addCluster(cmd, "one namespace (default: the kubeconfig's); with -f that of objects that name none (default: default)")
	f := cmd.Flags()
	o.cluster.AddSelection(f)
	f.Lookup("selector").Usage = "label `selector` of workloads"
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file or folder with manifests, - for standard input, instead of the cluster; may be repeated")
}

// addCluster adds the flags of a cluster alone.
func (o *scanOptions) addCluster(cmd *cobra.Command, namespace string) {
	o.cluster = cluster.New(o.version)
	o.cluster.Add(cmd.Flags(), namespace)
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml", "json")
	o.cluster.Complete(cmd)
}

// timeout of everything: a large cluster takes a minute.
const timeout = 30 * time.Minute

func (o *scanOptions) run(cmd *cobra.Command, _ []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if err := report.CheckFormat(o.output); err != nil {
		return err
	}
	g, err := o.graph(ctx, cmd)
	if err != nil {
		return err
	}
	r := reportOf(g)
	if err := write(cmd.OutOrStdout(), g, r, o.output); err != nil {
		return err
	}
	if err := unseen(g); err != nil && len(g.Credentials) == 0 {
		return err
	}
	return r.Err()
}

// unseen is what kept podpass from looking at all of something; nil: nothing did.
func unseen(g *graph.Graph) error {
	var kinds []string
	for _, u := range g.Unread {
		if u.Kind {
			kinds = append(kinds, u.What+" ("+u.Why+")")
		}
	}
	if kinds == nil {
		return nil
	}
	return hint.New(fmt.Errorf("not all could be looked at: %s", strings.Join(kinds, ", ")), "look with the rights that docs/migrate.md lists, or name one namespace with -n")
}

func write(w io.Writer, g *graph.Graph, r *report.Report, format string) error {
	switch format {
	case "table", "wide":
		return table(w, g, r, format == "wide", report.Colour(w))
	case "json":
		return report.WriteJSON(w, g)
	case "html":
		return page.Write(w, g)
	case "yaml":
		return report.WriteYAML(w, g)
	}
	return r.Write(w, format, false)
}

// graph reads what the flags name.
func (o *scanOptions) graph(ctx context.Context, cmd *cobra.Command) (*graph.Graph, error) {
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	from := scan.Source{Flags: o.cluster, Files: o.files, Version: o.version}
	c := from.Collector(key)
	c.Federated = o.federated
	if _, _, err := from.Read(ctx, c, cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
		return nil, err
	}
	source := o.cluster.ContextName()
	if len(o.files) > 0 {
		source = strings.Join(o.files, ", ")
	}
	g := c.Graph()
	g.Tool, g.Version, g.Source = "podpass migrate scan", o.version, source
	return g, nil
}

// shortestKey for fingerprints: with less, somebody could try what fits.
const shortestKey = 16

// key is that of the fingerprints: a file's, or one of this run alone.
func (o *scanOptions) key() ([]byte, error) {
	if o.fingerprint == "" {
		return scan.RandomKey()
	}
	key, err := manifest.ReadFile(nil, o.fingerprint, 64<<10)
	if err == nil && len(key) < shortestKey {
		err = hint.New(fmt.Errorf("%s has %d bytes, and a key has at least %d", o.fingerprint, len(key), shortestKey), "make one: head -c 32 /dev/urandom > "+o.fingerprint)
	}
	return key, err
}
