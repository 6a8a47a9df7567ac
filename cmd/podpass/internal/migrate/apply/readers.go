package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

// reader is a workload that reads a data key of an object.
type reader struct {
	workload graph.Object
	workload.Reading
}

// readers of a namespace: what its workloads read, and as whom they run.
type readers struct {
	list     []reader
	accounts map[string][]graph.Object
	pulls    map[string][]string // pull secrets, by ServiceAccount
	unread   []string
}

// readersOf looks at all workloads and ServiceAccounts of a namespace, and at no Secret.
func (r *Runner) readersOf(ctx context.Context, namespace string) (*readers, error) {
	key, err := scan.RandomKey() // its fingerprints are for nobody
	if err != nil {
		return nil, err
	}
	found := &readers{accounts: map[string][]graph.Object{}, pulls: map[string][]string{}}
	c := scan.New(namespace, key, r.Now())
	c.Seen = found.see
	if err := c.Readers(ctx, scan.Cluster{Client: r.Client, Installation: r.Settings.Installation, Namespace: namespace, Say: func(string, ...any) {}}); err != nil {
		return nil, fmt.Errorf("looking who reads what: %w", err)
	}
	for _, u := range c.Graph().Unread {
		if u.Kind {
			found.unread = append(found.unread, u.Why)
		}
	}
	return found, nil
}

// see takes an object with pod templates, or a ServiceAccount. What has ended reads nothing.
func (r *readers) see(o graph.Object, content map[string]any) {
	if o.Kind == "ServiceAccount" {
		r.account(o, content)
		return
	}
	if rollout.Finished(&unstructured.Unstructured{Object: content}) {
		return
	}
	for _, t := range workload.Templates(content) {
		r.accounts[t.ServiceAccount()] = append(r.accounts[t.ServiceAccount()], o)
		for _, reading := range t.Readings() {
			r.list = append(r.list, reader{o, reading})
		}
	}
}

func (r *readers) account(o graph.Object, content map[string]any) {
	b, err := json.Marshal(content)
	if err != nil {
		return // it has been JSON a moment ago
	}
	var a corev1.ServiceAccount
	if json.Unmarshal(b, &a) != nil {
		return
	}
	for _, s := range a.ImagePullSecrets {
		r.pulls[o.Name] = append(r.pulls[o.Name], s.Name)
	}
}

// of are the workloads that read any of the data keys of an object; no keys: anything of it.
func (r *readers) of(o graph.Object, keys []string) []string {
	var names []string
	for _, one := range r.list {
		if one.Kind == o.Kind && one.Name == o.Name && (one.Key == "" || len(keys) == 0 || slices.Contains(keys, one.Key)) {
			names = append(names, one.workload.String())
		}
	}
	for account, secrets := range r.pulls {
		if o.Kind == "Secret" && slices.Contains(secrets, o.Name) {
			names = append(names, "ServiceAccount "+o.Namespace+"/"+account)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
