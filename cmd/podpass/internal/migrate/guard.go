package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

const guardLong = `Print what keeps a finished namespace off static keys: its label, by which the policy
staticKeys of podpass's chart refuses pods with static keys in variables, or in files where
SDKs look for them; and an annotation with the Secrets that are marked as unused, of which
it refuses whatever reads them.

A namespace in which a workload still reads a key is refused. Nothing is changed: apply
what is printed, or commit it.`

const guardExamples = `  # Keep namespace shop off static keys
  podpass migrate guard -n shop | kubectl apply --server-side --field-manager podpass-guard -f -`

const (
	// keyDenied is the label of namespaces that the policy is about.
	keyDenied = "podpass.io/static-keys"
	// keyUnusedSecrets is the annotation of a namespace that names Secrets.
	keyUnusedSecrets = "podpass.io/unused-secrets"
	// mostUnused is how long its value may be for the policy to read it.
	mostUnused = 20_000
)

func guardCommand(version string) *cobra.Command {
	o := &scanOptions{version: version}
	cmd := &cobra.Command{
		Use:     "guard",
		Short:   "Print what keeps a finished namespace off static keys",
		Long:    guardLong,
		Example: guardExamples,
		Args:    cobra.NoArgs,
		RunE:    o.guard,
	}
	o.addCluster(cmd, "the finished namespace (default: the kubeconfig's)")
	return cmd
}

func (o *scanOptions) guard(cmd *cobra.Command, _ []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return err
	}
	client, _, err := o.cluster.Client("run it where there is a cluster")
	if err != nil {
		return err
	}
	g, err := o.graph(ctx, cmd)
	if err != nil {
		return err
	}
	if err := unseen(g); err != nil {
		return err
	}
	unused, err := finished(g)
	if err != nil {
		return err
	}
	if err := enforced(ctx, client); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v\n", err)
	}
	b, err := yaml.Marshal(guarded(namespace, unused))
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(b)
	return err
}

// guarded is a namespace with what keeps it off static keys, and no more: for server-side
// apply.
func guarded(namespace string, unused []string) any {
	type metadata struct {
		Name        string            `json:"name"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	m := metadata{Name: namespace, Labels: map[string]string{keyDenied: "denied"}}
	if len(unused) > 0 {
		m.Annotations = map[string]string{keyUnusedSecrets: strings.Join(unused, ",")}
	}
	return struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Metadata   metadata `json:"metadata"`
	}{"v1", "Namespace", m}
}

// finished are the Secrets that are marked as unused and of which nothing else is read
// either, of a namespace in which no workload reads a key.
func finished(g *graph.Graph) (unused []string, err error) {
	var still []string
	for _, c := range g.Credentials {
		for _, p := range c.Places {
			for _, u := range p.Uses {
				still = append(still, g.Workloads[u.Workload].String())
			}
			if p.Object.Kind == "Secret" && p.Unused != "" && !p.Read {
				unused = append(unused, p.Object.Name)
			}
		}
	}
	for _, u := range g.Unread {
		if len(u.Uses) > 0 {
			still = append(still, g.Workloads[u.Uses[0].Workload].String())
		}
	}
	slices.Sort(still)
	if still = slices.Compact(still); len(still) > 0 {
		return nil, exit.Found(hint.New(fmt.Errorf("the namespace is not finished: static keys are read by %s", strings.Join(still, ", ")), "podpass migrate status shows what is left"))
	}
	slices.Sort(unused)
	unused = slices.Compact(unused)
	if len(strings.Join(unused, ",")) > mostUnused {
		return nil, hint.New(fmt.Errorf("%d Secrets are marked as unused, more than the policy reads", len(unused)), "delete some: podpass migrate delete")
	}
	return unused, nil
}

// enforced is whether the cluster has the policy that the label is for; where that may not
// be asked, it is taken to.
func enforced(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=podpass"})
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range list.Items {
		if strings.HasSuffix(p.Name, "-static-keys") {
			return nil
		}
	}
	return errors.New("the cluster does not have the policy that the label is for: install the chart with --set policies.staticKeys.mode=enforce")
}
