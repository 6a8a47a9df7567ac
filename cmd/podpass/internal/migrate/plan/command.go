package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	trustcommand "github.com/podpass-io/podpass/cmd/podpass/internal/trust"
	"github.com/podpass-io/podpass/federation/statickey"
	"github.com/podpass-io/podpass/federation/trust"
)

// timeout of everything: a large cluster takes a minute.
const timeout = 30 * time.Minute

const long = `Write the way of workloads off their static keys: a folder to review and to commit, with
plan.yaml, a README.md that says the order and why, and a folder for each workload: its
ServiceAccount and annotations, what the cloud has to be told as podpass trust renders it,
how to see what the old key may do, the change as a diff and as a patch for Kustomize,
where to make it if Helm keeps the workload, and the way back.

The new identity is that of the old key where it says one: Google's service account,
Azure's application. For AWS it is a role for each ServiceAccount, of the key's account.
What no key says has to be named; else the step says what is missing. What an identity may
do is asked for, and never guessed.

Nothing is changed in the cluster. No value of a key is in any file. With -f manifests are
read in the place of the cluster, as podpass migrate scan does; a plan of manifests is to
read, and only one of a cluster can be applied.`

const examples = `  # One workload of the cluster
  podpass migrate plan deployment/orders -n shop

  # All of a namespace, into a folder of a name
  podpass migrate plan -n shop --output-directory shop-keys

  # A chart, before it is installed, with the issuer of the cluster it is for
  helm template shop ./chart | podpass migrate plan -f - --issuer https://oidc.example.com/prod --output-directory chart-keys

  # Roles by a name of your own, and an identity in the place of storage keys
  podpass migrate plan -f deploy/ --issuer https://oidc.example.com/prod --role-arn arn:aws:iam::111122223333:role/apps/NAMESPACE.SERVICEACCOUNT --azure-client-id 00000000-0000-4000-8000-000000000000 --output-directory deploy-keys`

type options struct {
	Identities
	cluster *cluster.Flags
	files   []string
	issuers []string
	dir     string
	force   bool
	version string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version), version: version}
	cmd := &cobra.Command{
		Use:     "plan [TYPE/NAME...]",
		Short:   "Write the way of workloads off their static keys, to review and commit",
		Long:    long,
		Example: examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	o.cluster.Add(f, "one namespace (default: the kubeconfig's); with -f that of objects that name none (default: default)")
	f.BoolVarP(&o.cluster.AllNamespaces, "all-namespaces", "A", false, "all namespaces")
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file or folder with manifests, - for standard input, instead of the cluster; may be repeated")
	f.StringVar(&o.dir, "output-directory", "migration", "`folder` to write to, which has to be empty")
	f.BoolVar(&o.force, "force", false, "overwrite an older plan in the folder")
	f.StringArrayVar(&o.issuers, "issuer", nil, "the issuer of the cluster, `[NAME=]URL`, instead of asking the cluster; may be repeated: several clusters with the same workloads")
	f.StringVar(&o.RoleARN, "role-arn", DefaultRoleARN, "role of AWS; ACCOUNT is that of the key, NAMESPACE and SERVICEACCOUNT are the workload's")
	f.StringVar(&o.GCPServiceAccount, "gcp-service-account", "", "`email` of the service account in the place of Google's keys that are of none: HMAC keys, and those of people")
	f.StringVar(&o.AzureClientID, "azure-client-id", "", "client `ID` of the identity in the place of Azure's keys that are of none: of storage accounts, SAS, passwords")
	f.StringVar(&o.AzureTenantID, "azure-tenant-id", "", "tenant `ID` of that identity (default: the installation's)")
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml", "json") // completion only
	_ = cmd.MarkFlagDirname("output-directory")                 // completion only
	o.cluster.Complete(cmd)
	return cmd
}

func (o *options) run(ctx context.Context, names []string, stdin io.Reader, stdout, stderr io.Writer) error {
	of := Options{Identities: o.Identities, Tool: "podpass " + cmp.Or(o.version, "dev"), Now: time.Now().Truncate(time.Second)}
	var err error
	if of.Wanted, err = wanted(names); err != nil {
		return err
	}
	if of.Issuers, err = trustcommand.ParseIssuers(o.issuers); err != nil {
		return err
	}
	if len(o.files) == 0 {
		err = o.ofCluster(ctx, &of)
	} else if of.Issuers == nil {
		err = hint.New(errors.New("files do not say whose tokens the clouds are to take"), "give the cluster's issuer with --issuer; kubectl get --raw /.well-known/openid-configuration says it")
	}
	if err != nil {
		return err
	}
	of.File = values
	key, err := scan.RandomKey()
	if err != nil {
		return err
	}
	of.Fingerprint = func(k statickey.Key) string { return k.Fingerprint(key) }
	from := scan.Source{Flags: o.cluster, Files: o.files, Version: o.version}
	c, inventory := from.Collector(key), NewInventory()
	c.Seen = inventory.See
	if of.Installation, of.Defaults, err = from.Read(ctx, c, stdin, stderr); err != nil {
		return err
	}
	g := c.Graph()
	folder, err := Make(g, inventory, of)
	if err != nil {
		return err
	}
	if len(folder.Plan.Steps) == 0 {
		return nothing(g, names)
	}
	if err := folder.Write(o.dir, o.force); err != nil {
		return err
	}
	return o.summary(stdout, folder.Plan)
}

// summary says what was written, and what is next.
func (o *options) summary(w io.Writer, p *Plan) error {
	byHand := 0
	for _, s := range p.Steps {
		if len(s.ByHand) > 0 {
			byHand++
		}
	}
	steps, first := "1 step", ""
	if len(p.Steps) != 1 {
		steps = fmt.Sprintf("%d steps", len(p.Steps))
	}
	if byHand > 0 {
		first = fmt.Sprintf(", %d with something to do by hand", byHand)
	}
	_, err := fmt.Fprintf(w, "%s: %s%s; begin with %s/README.md\n", o.dir, steps, first, strings.TrimSuffix(o.dir, "/"))
	return err
}

// ofCluster says which cluster a plan is for, and whose tokens the clouds are to take.
func (o *options) ofCluster(ctx context.Context, of *Options) error {
	client, _, err := o.cluster.Client("plan for manifests with -f")
	if err != nil {
		return err
	}
	of.Context = o.cluster.ContextName()
	of.Release = func(namespace, name string) any { return release(ctx, client, namespace, name) }
	if of.Cluster, err = clusterUID(ctx, client); err != nil || of.Issuers != nil {
		return err
	}
	own, err := trustcommand.OwnIssuer(ctx, client, of.Context, "--issuer", true)
	of.Issuers = []trust.Cluster{own}
	return err
}

// maxValues bounds a chart's file of values: far above what somebody reviews.
const maxValues = 1 << 20

// values of a file; nil: it is none.
func values(file string) any {
	b, err := manifest.ReadFile(nil, file, maxValues)
	if err != nil {
		return nil
	}
	var tree any
	if yaml.Unmarshal(b, &tree) != nil {
		return nil
	}
	return tree
}

// clusterUID tells a cluster from others: it is that of a namespace that each has, and
// that none loses.
func clusterUID(ctx context.Context, client kubernetes.Interface) (string, error) {
	system, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", hint.New(fmt.Errorf("read namespace %s, by which a plan tells its cluster: %w", metav1.NamespaceSystem, err), "have the right to get this namespace, or plan for manifests with -f")
	}
	return string(system.UID), nil
}
