package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// pass looks at every ServiceAccount once. An error of one does not keep it from
// the others, but from being complete.
func (a *Auditor) pass(ctx context.Context) error {
	if err := a.waitForServiceAccounts(ctx); err != nil {
		return err
	}
	a.forgetReported(time.Now())
	selected, err := a.namespaces(ctx)
	if err != nil {
		return err
	}
	r := round{selected: selected, events: maxEvents, labelled: a.passes%labelledEvery == 0}
	var failed error
	for name, record := range a.ServiceAccounts.All() {
		err := a.account(ctx, &r, name, record)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = err
		}
	}
	if failed != nil {
		return failed
	}
	a.passes++
	if r.labelled {
		a.mislabelled = r.mislabelled
	}
	a.last.Store(&Pass{Uninjected: r.uninjected + a.mislabelled, Malformed: r.malformed, Ended: time.Now()})
	return nil
}

// round is a pass under way: what it has found, and how many Events it may still write.
type round struct {
	selected                                   map[string]bool // namespaces; nil: all
	uninjected, mislabelled, malformed, events int
	labelled                                   bool
}

// account looks at one ServiceAccount and its pods.
func (a *Auditor) account(ctx context.Context, r *round, name types.NamespacedName, record sastore.Record) error {
	if slices.Contains(a.Excluded, name.Namespace) || r.selected != nil && !r.selected[name.Namespace] {
		return nil
	}
	record, err := a.whole(ctx, name, record)
	if err != nil {
		return fmt.Errorf("ServiceAccount %s: %w", name, err)
	}
	answer := a.resolve(name, record)
	if len(answer.Errors) > 0 {
		if err := a.malformed(ctx, r, name); err != nil {
			return fmt.Errorf("ServiceAccount %s: %w", name, err)
		}
		return nil
	}
	if answer.Empty() {
		return nil
	}
	look := func(label string, count *int) error {
		err := a.pods(ctx, name, label, func(pod *corev1.Pod) error {
			missed, err := a.missed(pod, record)
			if err != nil || missed == nil {
				return err
			}
			*count++
			if _, ok := a.reported[pod.UID]; ok || r.events == 0 {
				return nil
			}
			r.events--
			return a.report(ctx, pod, name.Name, missed)
		})
		if err != nil {
			return fmt.Errorf("pods of ServiceAccount %s: %w", name, err)
		}
		return nil
	}
	if err := look("!"+inject.InjectedLabel, &r.uninjected); err != nil || !r.labelled {
		return err
	}
	return look(inject.InjectedLabel, &r.mislabelled)
}

// whole is the record, also of a ServiceAccount that is too large to be in memory.
func (a *Auditor) whole(ctx context.Context, name types.NamespacedName, record sastore.Record) (sastore.Record, error) {
	if !record.Large {
		return record, nil
	}
	record, err := a.ServiceAccounts.GetLive(ctx, name.Namespace, name.Name)
	if errors.Is(err, sastore.ErrNotFound) {
		return record, nil // it has gone, and its pods go
	}
	return record, err
}

// waitForServiceAccounts returns once all are known, or with ctx's error.
func (a *Auditor) waitForServiceAccounts(ctx context.Context) error {
	return wait.PollUntilContextCancel(ctx, time.Second, true, func(context.Context) (bool, error) {
		return a.ServiceAccounts.Synced(), nil
	})
}

// resolve says what a pod of the ServiceAccount would be given.
func (a *Auditor) resolve(name types.NamespacedName, record sastore.Record) serviceaccount.Answer {
	return serviceaccount.Resolve(serviceaccount.Request{
		Namespace: name.Namespace, Name: name.Name, Annotations: record.Annotations, Labels: record.Labels, AnyPod: true,
	}, a.Settings().Installation)
}
