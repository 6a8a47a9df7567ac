package scan

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Cluster says what of a cluster is read.
type Cluster struct {
	Client       kubernetes.Interface
	Installation serviceaccount.Installation
	// Namespace to look at; empty: all.
	Namespace string
	// Selector of the objects' labels, of workloads alone.
	Selector string
	// Say is told what is under way.
	Say func(format string, args ...any)
}

// resource of an API that may hold pod templates or keys.
type resource struct {
	base, name, kind string
	// custom ones may keep keys in their own settings.
	custom bool
}

// Cluster reads a cluster. What its user may not read is said in the graph; an error is
// what keeps it from the rest.
func (c *Collector) Cluster(ctx context.Context, from Cluster) error {
	if err := c.Readers(ctx, from); err != nil {
		return err
	}
	for _, r := range []resource{{base: "/api/v1", name: "configmaps", kind: "ConfigMap"}, {base: "/api/v1", name: "secrets", kind: "Secret"}} {
		// Lists leave out what their items are.
		if err := c.counted(ctx, from, r, func(raw json.RawMessage) error { return c.Keep(typed(raw, "v1", r.kind), "") }); err != nil {
			return err
		}
	}
	return nil
}

// Readers reads the part of a cluster that may read keys, and not what keeps them: objects
// with pod templates, and ServiceAccounts.
func (c *Collector) Readers(ctx context.Context, from Cluster) error {
	resources, err := c.resources(ctx, from)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if err := c.workloads(ctx, from, r); err != nil {
			return err
		}
	}
	return c.counted(ctx, from, resource{base: "/api/v1", name: "serviceaccounts", kind: "ServiceAccount"}, func(raw json.RawMessage) error {
		return c.account(raw, from.Installation)
	})
}

// counted is all, of whole objects, and says how many it has come to.
func (c *Collector) counted(ctx context.Context, from Cluster, r resource, fn func(json.RawMessage) error) error {
	n := 0
	return c.all(ctx, from, r, "", func(raw json.RawMessage) error {
		if n++; n%pageSize == 0 {
			from.Say("reading %s: %d", r.name, n)
		}
		return fn(raw)
	})
}

// typed gives an item of a list the kind that the list says it has.
func typed(raw json.RawMessage, version, kind string) []byte {
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q`, version, kind)
	rest := bytes.TrimPrefix(bytes.TrimSpace(raw), []byte("{"))
	if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
		head += ","
	}
	return append([]byte(head), rest...)
}

// all gives fn each object of a resource; that it may not be read is no error.
func (c *Collector) all(ctx context.Context, from Cluster, r resource, accept string, fn func(json.RawMessage) error) error {
	from.Say("reading %s", r.name)
	of := collection{base: r.base, resource: r.name, namespace: from.Namespace, accept: cmp.Or(accept, "application/json")}
	if r.kind != "Secret" && r.kind != "ConfigMap" && r.kind != "ServiceAccount" {
		of.selector = from.Selector
	}
	err := each(ctx, from.Client.CoreV1().RESTClient(), of, fn)
	switch {
	case apierrors.IsForbidden(err):
		c.NotRead(r.kind, "you may not list "+r.name)
		return nil
	case apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err):
		return nil // its API has gone meanwhile, or is of another version
	case err != nil:
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	return nil
}

// workloads reads the objects of a resource that may hold pod templates. Of those that
// others make there may be many, and only few have no workload above them: of these alone
// more than the metadata is read.
func (c *Collector) workloads(ctx context.Context, from Cluster, r resource) error {
	var only map[id]bool // nil: all
	if r.name == "pods" || r.name == "replicasets" || r.name == "jobs" {
		alone, err := c.alone(ctx, from, r)
		if err != nil || len(alone) == 0 {
			return err
		}
		if len(alone) <= maxSingle {
			return c.single(ctx, from, r, alone)
		}
		only = alone
	}
	return c.counted(ctx, from, r, func(raw json.RawMessage) error { return c.item(r, raw, only) })
}

// maxSingle is how many objects are read one by one, rather than all of their kind at once.
const maxSingle = 100

// alone are the objects of a resource that have no workload above them, by their metadata;
// pods that have are counted.
func (c *Collector) alone(ctx context.Context, from Cluster, r resource) (map[id]bool, error) {
	alone := map[id]bool{}
	err := c.all(ctx, from, r, metadataOnly, func(raw json.RawMessage) error {
		var object map[string]any
		if err := json.Unmarshal(raw, &object); err != nil {
			return err
		}
		object["kind"] = r.kind
		o := workload.Named(object, from.Namespace)
		switch below := c.Below(o, workload.Controller(object, from.Namespace)); {
		case !below:
			alone[idOf(o)] = true
		case r.kind == "Pod":
			c.countPod(o)
		}
		return nil
	})
	return alone, err
}

// single reads objects one by one.
func (c *Collector) single(ctx context.Context, from Cluster, r resource, objects map[id]bool) error {
	for o := range objects {
		raw, err := from.Client.CoreV1().RESTClient().Get().AbsPath(r.base).Namespace(o.namespace).Resource(r.name).Name(o.name).
			SetHeader("Accept", "application/json").Do(ctx).Raw()
		switch {
		case apierrors.IsNotFound(err):
			continue // it has gone meanwhile
		case apierrors.IsForbidden(err):
			c.NotRead(r.kind, "you may list "+r.name+", and not get them")
			return nil
		case err != nil:
			return fmt.Errorf("read %s %s/%s: %w", r.kind, o.namespace, o.name, err)
		}
		if err := c.item(r, raw, nil); err != nil {
			return err
		}
	}
	return nil
}

// item takes one object of a resource, if it is among those that are wanted.
func (c *Collector) item(r resource, raw json.RawMessage, only map[id]bool) error {
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return err
	}
	version := strings.TrimPrefix(strings.TrimPrefix(r.base, "/apis/"), "/api/")
	object["apiVersion"], object["kind"] = version, r.kind
	if only != nil && !only[idOf(workload.Named(object, c.Namespace))] {
		return nil
	}
	c.Workload(object, "")
	if r.custom {
		return c.Keep(typed(raw, version, r.kind), "")
	}
	return nil
}

// order in which Kubernetes' own are read: what makes others before what it makes.
var order = []string{"deployments", "statefulsets", "daemonsets", "cronjobs", "podtemplates", "replicationcontrollers", "replicasets", "jobs", "pods"}

// resources are those that may hold pod templates, in the order in which they are to be
// read: custom ones first, which own the others.
func (c *Collector) resources(ctx context.Context, from Cluster) ([]resource, error) {
	from.Say("asking what the cluster serves")
	lists, err := from.Client.Discovery().ServerPreferredResources()
	if len(lists) == 0 && err != nil {
		return nil, fmt.Errorf("ask what the cluster serves: %w", err)
	}
	custom, known, err := c.customResources(ctx, from)
	if err != nil {
		return nil, err
	}
	var own, others []resource
	for _, l := range lists {
		for _, r := range l.APIResources {
			if !r.Namespaced || !slices.Contains(r.Verbs, "list") {
				continue
			}
			group, _, grouped := strings.Cut(l.GroupVersion, "/")
			base := "/apis/" + l.GroupVersion
			if !grouped {
				group, base = "", "/api/"+l.GroupVersion
			}
			switch one := (resource{base: base, name: r.Name, kind: r.Kind}); {
			case slices.Contains(order, r.Name) && (group == "" || group == "apps" || group == "batch"):
				own = append(own, one)
			case custom[r.Name+"."+group] || !known && outside(group):
				one.custom = true
				others = append(others, one)
			}
		}
	}
	slices.SortStableFunc(own, func(a, b resource) int {
		return cmp.Compare(slices.Index(order, a.name), slices.Index(order, b.name))
	})
	return append(others, own...), nil
}

// outside is whether a group is none of Kubernetes' own.
func outside(group string) bool {
	return strings.Contains(group, ".") && (!strings.HasSuffix(group, ".k8s.io") || strings.HasSuffix(group, ".x-k8s.io"))
}

// customResources are those whose schema has containers, or takes whatever it is given, by
// "resource.group"; known is false where somebody may not read the schemas.
func (c *Collector) customResources(ctx context.Context, from Cluster) (custom map[string]bool, known bool, err error) {
	custom = map[string]bool{}
	err = each(ctx, from.Client.CoreV1().RESTClient(), collection{base: "/apis/apiextensions.k8s.io/v1", resource: "customresourcedefinitions", accept: "application/json"}, func(raw json.RawMessage) error {
		if !bytes.Contains(raw, []byte(`"containers"`)) && !bytes.Contains(raw, []byte(`"x-kubernetes-preserve-unknown-fields"`)) {
			return nil
		}
		var m struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
		custom[m.Metadata.Name] = true
		return nil
	})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, false, nil
	}
	return custom, true, err
}
