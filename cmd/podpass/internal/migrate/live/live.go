// Package live reads and writes the objects of a cluster whatever their kind, and says why
// the API server refuses a change without a value of it.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// Manager is the field manager of all that podpass migrate writes.
const Manager = graph.Manager

// Objects of a cluster. It is safe for concurrent use.
type Objects struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

// Open asks the cluster of config, of which client is a client too.
func Open(client kubernetes.Interface, config *rest.Config) (*Objects, error) {
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	cached := memory.NewMemCacheClient(client.Discovery())
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	return &Objects{client: d, mapper: mapper}, nil
}

// Resource is what the API server calls the kind of an object.
func (o *Objects) Resource(of graph.Object) (schema.GroupVersionResource, error) {
	kind := schema.FromAPIVersionAndKind(of.APIVersion, of.Kind)
	m, err := o.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return schema.GroupVersionResource{}, fmt.Errorf("ask what the cluster serves: %w", err)
	}
	return m.Resource, nil
}

// Kind is that of a resource as people write it: "deploy", "deployments.apps".
func (o *Objects) Kind(resource string) (string, error) {
	kind, err := o.mapper.KindFor(schema.ParseGroupResource(strings.ToLower(resource)).WithVersion(""))
	if err != nil {
		return "", hint.New(fmt.Errorf("the cluster has no %q: %w", resource, err), "name the workload as kubectl does: deployment/orders")
	}
	return kind.Kind, nil
}

func (o *Objects) of(object graph.Object) (dynamic.ResourceInterface, error) {
	r, err := o.Resource(object)
	if err != nil {
		return nil, err
	}
	return o.client.Resource(r).Namespace(object.Namespace), nil
}

// Get reads an object; nil: there is none.
func (o *Objects) Get(ctx context.Context, object graph.Object) (*unstructured.Unstructured, error) {
	c, err := o.of(object)
	if err != nil {
		return nil, err
	}
	u, err := c.Get(ctx, object.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", object, err)
	}
	return u, nil
}

// Create makes an object.
func (o *Objects) Create(ctx context.Context, object graph.Object, u *unstructured.Unstructured) error {
	c, err := o.of(object)
	if err != nil {
		return err
	}
	if _, err := c.Create(ctx, u, metav1.CreateOptions{FieldManager: Manager}); err != nil {
		return fmt.Errorf("create %s: %w", object, Plain(err))
	}
	return nil
}

// Try asks whether an object could be made, beside the one of its name that is there.
func (o *Objects) Try(ctx context.Context, object graph.Object, u *unstructured.Unstructured) error {
	c, err := o.of(object)
	if err != nil {
		return err
	}
	u = u.DeepCopy()
	u.SetName("")
	u.SetGenerateName(Manager + "-")
	if _, err := c.Create(ctx, u, metav1.CreateOptions{FieldManager: Manager, DryRun: dryRun(true)}); err != nil {
		return fmt.Errorf("create %s, as a dry run: %w", object, Plain(err))
	}
	return nil
}

// Patch changes an object by a JSON patch; dry: it is only tried.
func (o *Objects) Patch(ctx context.Context, object graph.Object, ops []edit.Op, dry bool) error {
	c, err := o.of(object)
	if err != nil {
		return err
	}
	b, err := json.Marshal(ops)
	if err != nil {
		return fmt.Errorf("patch %s: %w", object, err)
	}
	if _, err = c.Patch(ctx, object.Name, types.JSONPatchType, b, metav1.PatchOptions{FieldManager: Manager, DryRun: dryRun(dry)}); err != nil {
		return fmt.Errorf("patch %s: %w", object, Plain(err))
	}
	return nil
}

// Apply makes an object have what u says, and no more of what Manager made it have before.
// What somebody else has set otherwise is a conflict, and stays; see [Conflict].
func (o *Objects) Apply(ctx context.Context, u *unstructured.Unstructured, dry bool) error {
	object := graph.Object{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
	c, err := o.of(object)
	if err != nil {
		return err
	}
	if _, err = c.Apply(ctx, object.Name, u, metav1.ApplyOptions{FieldManager: Manager, DryRun: dryRun(dry)}); err != nil {
		return fmt.Errorf("apply %s: %w", object, Conflict(err))
	}
	return nil
}

// Delete deletes the very object that has the UID, with what it has made; it does not wait.
// That it is gone already is no error.
func (o *Objects) Delete(ctx context.Context, object graph.Object, uid types.UID) error {
	c, err := o.of(object)
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	err = c.Delete(ctx, object.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &foreground})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", object, err)
	}
	return nil
}

func dryRun(dry bool) []string {
	if dry {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// Conflict says who else sets a field that was to be applied.
func Conflict(err error) error {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsConflict(err) || status.ErrStatus.Details == nil {
		return Plain(err)
	}
	var who []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			who = append(who, cause.Field+": "+cause.Message)
		}
	}
	if who == nil {
		return err
	}
	return hint.New(errors.New("somebody else has set it otherwise: "+strings.Join(who, "; ")), "set it there as the plan has it, or take it away there; podpass does not take it over")
}

// Plain is an error of the API server without the values that it quotes where it calls an
// object invalid: a key may be among them.
func Plain(err error) error {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsInvalid(err) || status.ErrStatus.Details == nil {
		return err
	}
	var fields []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Field != "" {
			fields = append(fields, fmt.Sprintf("%s (%s)", cause.Field, cause.Type))
		}
	}
	slices.Sort(fields)
	if len(fields) == 0 {
		return errors.New("the API server takes it for invalid; what was to be changed has changed since")
	}
	return errors.New("the API server takes it for invalid: " + strings.Join(slices.Compact(fields), ", "))
}
