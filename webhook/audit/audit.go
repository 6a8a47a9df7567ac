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
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

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
	// are nearly all of the pods with identities.
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
	// Client is one of NewClient's: a list may be as long as anybody's pods make it.
	Client          kubernetes.Interface
	ServiceAccounts ServiceAccounts
	Settings        inject.Source
	// Excluded namespaces: those that the registration excludes.
	Excluded []string
	// NamespaceSelector is the registration's besides; nil: all other namespaces.
	NamespaceSelector labels.Selector
	// Period between the starts of two passes; default one minute.
	Period time.Duration
	Log    *slog.Logger

	running  sync.Mutex
	last     atomic.Pointer[Pass]
	reported map[types.UID]time.Time
	// passes is the number of complete ones of this Run; mislabelled what the last found that
	// looked, as the first of them does.
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
	a.reported, a.passes = map[types.UID]time.Time{}, 0
	wait.JitterUntilWithContext(ctx, func(ctx context.Context) {
		if err := a.pass(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("Audit pass failed; the next one follows", "error", err)
		}
	}, cmp.Or(a.Period, defaultPeriod), jitter, false)
	return nil
}

// recovered makes an error of a panic. One pod that the planner stumbles over must
// not end a process that serves admissions, and the next leader after it.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
