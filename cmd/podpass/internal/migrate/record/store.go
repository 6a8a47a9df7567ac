package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
)

// Store of the records of a cluster.
type Store struct{ Client kubernetes.Interface }

// Load reads the record of a step; nil: there is none.
func (s Store) Load(ctx context.Context, namespace, step string) (*Record, error) {
	secret, err := s.Client.CoreV1().Secrets(namespace).Get(ctx, Name(step), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the record of %s: %w", step, err)
	}
	return parse(secret)
}

// List gives all records of a namespace.
func (s Store) List(ctx context.Context, namespace string) ([]*Record, error) {
	secrets, err := s.Client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: graph.KeyMigration})
	if err != nil {
		return nil, fmt.Errorf("list the records of migrations: %w", err)
	}
	var all []*Record
	for i := range secrets.Items {
		if secrets.Items[i].Type != secretType {
			continue
		}
		r, err := parse(&secrets.Items[i])
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func parse(secret *corev1.Secret) (*Record, error) {
	r := &Record{stored: true, version: secret.ResourceVersion}
	err := json.Unmarshal(secret.Data[stateKey], r)
	if secret.Type != secretType || err != nil || !slices.Contains(phases, r.Phase) || Name(r.Step.Name) != secret.Name {
		return nil, hint.New(fmt.Errorf("no record of a migration: Secret %s/%s", secret.Namespace, secret.Name), "see who has made it, and give it another name")
	}
	r.Keep(secret.Data[undoKey], secret.Data[formerKey])
	return r, nil
}

// Save writes a record. If somebody else has written it since it was read, that is an
// error.
func (s Store) Save(ctx context.Context, r *Record) error {
	state, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the record of %s: %w", r.Step.Name, err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: r.Step.Workload.Namespace, Name: Name(r.Step.Name), ResourceVersion: r.version,
			Labels: map[string]string{graph.KeyMigration: r.Step.Name},
		},
		Type: secretType,
		Data: map[string][]byte{stateKey: state},
	}
	for key, b := range map[string][]byte{undoKey: r.Undo(), formerKey: r.Former()} {
		if len(b) > 0 {
			secret.Data[key] = b
		}
	}
	c := s.Client.CoreV1().Secrets(secret.Namespace)
	if !r.stored {
		secret, err = c.Create(ctx, secret, metav1.CreateOptions{FieldManager: live.Manager})
	} else {
		secret, err = c.Update(ctx, secret, metav1.UpdateOptions{FieldManager: live.Manager})
	}
	switch {
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err):
		return hint.New(fmt.Errorf("somebody else works on %s at the same time", r.Step.Name), "run it again when they are done")
	case err != nil:
		return fmt.Errorf("keep the record of %s: %w", r.Step.Name, live.Plain(err))
	}
	r.stored, r.version = true, secret.ResourceVersion
	return nil
}

// Delete deletes a record.
func (s Store) Delete(ctx context.Context, r *Record) error {
	err := s.Client.CoreV1().Secrets(r.Step.Workload.Namespace).Delete(ctx, Name(r.Step.Name), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the record of %s: %w", r.Step.Name, err)
	}
	return nil
}

// Find is the record of a workload; nil: there is none.
func Find(all []*Record, kind, name string) *Record {
	i := slices.IndexFunc(all, func(r *Record) bool {
		return strings.EqualFold(r.Step.Workload.Kind, kind) && r.Step.Workload.Name == name
	})
	if i < 0 {
		return nil
	}
	return all[i]
}
