// Package audit finds pods that should have been injected and were not: created
// while the webhook could not be reached and its failurePolicy let them pass,
// before their ServiceAccount was annotated, or before podpass was installed. Each
// gets an Event, and all are counted. A miss is never silent.
//
// It keeps no pods. Pass after pass it asks the API server, for one ServiceAccount
// with an identity after the other, for those of its pods that lack podpass's
// label: in a cluster in order that is an empty list each time. Every tenth pass it also
// asks for those that have the label, and whether it is true: a pod does not change in
// that, and in some minutes a wrong label, which came with a manifest, is early enough.
//
// ServiceAccounts whose annotations deny their pods are counted too, and get an Event:
// nobody may create a pod of theirs for weeks.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

const (
	// defaultPeriod between the starts of two passes.
	defaultPeriod = time.Minute
	// jitter of the period, as a fraction of it.
	jitter = 0.1
	// pace is the pause between two lists. A pass over 5,000 ServiceAccounts with
	// identities takes about eight minutes, and is no load.
	pace = 100 * time.Millisecond
	// labelledEvery is how many passes there are for one that looks at labelled pods. They
	// are nearly all of the pods with identities, four a list.
	labelledEvery = 10
)

// ServiceAccounts are all that are known: a sastore.Store.
type ServiceAccounts interface {
	Synced() bool
	All() iter.Seq2[types.NamespacedName, sastore.Record]
	GetLive(ctx context.Context, namespace, name string) (sastore.Record, error)
}

// Auditor runs the passes. It is meant for one replica at a time: see Leader. Two
// that run at the same time find the same, and write each Event once.
type Auditor struct {
	Client          kubernetes.Interface
	ServiceAccounts ServiceAccounts
	Settings        inject.Source
	// Excluded namespaces: those that the registration excludes.
	Excluded []string
	// Period between the starts of two passes; default one minute.
	Period time.Duration
	Log    *slog.Logger

	running  sync.Mutex
	last     atomic.Pointer[Pass]
	reported map[types.UID]time.Time
	// passes is the number of complete ones; mislabelled what the last found that looked.
	passes, mislabelled int
}

// Pass is what a complete pass found.
type Pass struct {
	// Uninjected is the number of pods without the identity that their ServiceAccount
	// asks for.
	Uninjected int
	// Malformed is the number of ServiceAccounts whose annotations deny their pods.
	Malformed int
	// Ended is when the pass ended.
	Ended time.Time
}

// LastPass is the last complete pass of this Run; false: there is none yet, or the
// auditor does not run.
func (a *Auditor) LastPass() (Pass, bool) {
	if p := a.last.Load(); p != nil {
		return *p, true
	}
	return Pass{}, false
}

// Run audits until ctx ends.
func (a *Auditor) Run(ctx context.Context) error {
	a.running.Lock() // a Run before this one may still be ending
	defer a.running.Unlock()
	defer a.last.Store(nil) // another replica's may differ by now
	a.reported, a.passes, a.mislabelled = map[types.UID]time.Time{}, 0, 0
	wait.JitterUntilWithContext(ctx, func(ctx context.Context) {
		if err := a.pass(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("Audit pass failed; the next one follows", "error", err)
		}
	}, cmp.Or(a.Period, defaultPeriod), jitter, false)
	return nil
}

// pass looks at every ServiceAccount once. An error of one does not keep it from
// the others, but from being complete.
func (a *Auditor) pass(ctx context.Context) error {
	if err := a.waitForServiceAccounts(ctx); err != nil {
		return err
	}
	a.forgetReported(time.Now())
	r := round{events: maxEvents, labelled: a.passes%labelledEvery == 0}
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
	uninjected, mislabelled, malformed, events int
	labelled                                   bool
}

// account looks at one ServiceAccount and its pods.
func (a *Auditor) account(ctx context.Context, r *round, name types.NamespacedName, record sastore.Record) error {
	if slices.Contains(a.Excluded, name.Namespace) {
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

// recovered makes an error of a panic. One pod that the planner stumbles over must
// not end a process that serves admissions, and the next leader after it.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
