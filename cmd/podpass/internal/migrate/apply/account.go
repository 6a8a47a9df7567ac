package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
)

// managedBy is on ServiceAccounts that migrate has made.
const managedBy = "app.kubernetes.io/managed-by"

// annotate makes the ServiceAccount of a step ask for its identity; dry: it is only tried.
func (r *Runner) annotate(ctx context.Context, s plan.Step, dry bool) error {
	a := s.ServiceAccount
	now, err := r.account(ctx, a.Namespace, a.Name)
	if err != nil {
		return err
	}
	switch {
	case now == nil && !a.New:
		return hint.New(fmt.Errorf("ServiceAccount %s/%s is not there any more", a.Namespace, a.Name), again)
	case now == nil:
		now = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{managedBy: live.Manager}}}
		from, err := r.account(ctx, a.Namespace, a.From)
		if err != nil {
			return err
		}
		if from != nil {
			now.ImagePullSecrets = from.ImagePullSecrets
		}
	}
	annotations := ours(now)
	maps.Copy(annotations, a.Annotations)
	return r.Objects.Apply(ctx, accountOf(a, now, annotations), dry)
}

// account reads a ServiceAccount; nil: there is none.
func (r *Runner) account(ctx context.Context, namespace, name string) (*corev1.ServiceAccount, error) {
	if name == "" {
		return nil, nil
	}
	a, err := r.Client.CoreV1().ServiceAccounts(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return a, nil
}

// accountOf is all that migrate sets of a ServiceAccount: what is left out of it goes.
func accountOf(a plan.ServiceAccount, now *corev1.ServiceAccount, annotations map[string]string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	u.SetNamespace(a.Namespace)
	u.SetName(a.Name)
	u.SetAnnotations(annotations)
	if now.Labels[managedBy] != live.Manager {
		return u
	}
	u.SetLabels(map[string]string{managedBy: live.Manager})
	var secrets []any
	for _, s := range now.ImagePullSecrets {
		secrets = append(secrets, map[string]any{"name": s.Name})
	}
	if secrets != nil {
		u.Object["imagePullSecrets"] = secrets
	}
	return u
}

// ours are the annotations that migrate has set, with what they are now: other steps of
// the same ServiceAccount may have set some.
func ours(o metav1.Object) map[string]string {
	all := map[string]string{}
	for _, m := range o.GetManagedFields() {
		if m.Manager != live.Manager || m.Operation != metav1.ManagedFieldsOperationApply || m.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Metadata struct {
				Annotations map[string]json.RawMessage `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if json.NewDecoder(bytes.NewReader(m.FieldsV1.GetRawBytes())).Decode(&fields) != nil {
			continue // of a form that this version does not know
		}
		for key := range fields.Metadata.Annotations {
			if name, ok := strings.CutPrefix(key, "f:"); ok {
				all[name] = o.GetAnnotations()[name]
			}
		}
	}
	return all
}

// showAccount is the diff of the ServiceAccount, whose annotations hold nothing secret.
func (r *Runner) showAccount(ctx context.Context, s plan.Step) ([]string, error) {
	a := s.ServiceAccount
	now, err := r.account(ctx, a.Namespace, a.Name)
	if err != nil {
		return nil, err
	}
	var lines []string
	if now == nil {
		lines, now = append(lines, "+ ServiceAccount "+a.Name), &corev1.ServiceAccount{}
	}
	for _, key := range slices.Sorted(maps.Keys(a.Annotations)) {
		was, ok := now.Annotations[key]
		if ok && was == a.Annotations[key] {
			continue
		}
		if ok {
			lines = append(lines, fmt.Sprintf("- ServiceAccount %s: annotation %s: %s", a.Name, key, was))
		}
		lines = append(lines, fmt.Sprintf("+ ServiceAccount %s: annotation %s: %s", a.Name, key, a.Annotations[key]))
	}
	return lines, nil
}

// restoreAccount takes from the ServiceAccount what no other step needs of what apply gave
// it; one that apply has made goes if nobody uses it.
func (r *Runner) restoreAccount(ctx context.Context, rec *record.Record) error {
	a := rec.Step.ServiceAccount
	now, err := r.account(ctx, a.Namespace, a.Name)
	if err != nil || now == nil {
		return err
	}
	others, err := r.others(ctx, rec)
	if err != nil {
		return err
	}
	if now.Labels[managedBy] == live.Manager && len(others) == 0 {
		who, err := r.readersOf(ctx, a.Namespace)
		if err != nil {
			return err
		}
		if len(who.accounts[a.Name]) == 0 && len(who.unread) == 0 {
			err := r.Client.CoreV1().ServiceAccounts(a.Namespace).Delete(ctx, a.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &now.UID}})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete ServiceAccount %s/%s: %w", a.Namespace, a.Name, err)
			}
			return nil
		}
	}
	set := ours(now)
	before := len(set)
	for key := range a.Annotations {
		if !slices.ContainsFunc(others, func(o *record.Record) bool { _, ok := o.Step.ServiceAccount.Annotations[key]; return ok }) {
			delete(set, key)
		}
	}
	if len(set) == before {
		return nil
	}
	return r.Objects.Apply(ctx, accountOf(a, now, set), false)
}

// others are the records of other steps with the same ServiceAccount.
func (r *Runner) others(ctx context.Context, rec *record.Record) ([]*record.Record, error) {
	all, err := r.records().List(ctx, rec.Step.Workload.Namespace)
	return slices.DeleteFunc(all, func(o *record.Record) bool {
		return o.Step.Name == rec.Step.Name || o.Step.ServiceAccount.Name != rec.Step.ServiceAccount.Name
	}), err
}
