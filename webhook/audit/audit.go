// Package audit finds pods that should have been injected and were not: created
// while the webhook could not be reached and its failurePolicy let them pass,
// before their ServiceAccount was annotated, or before podpass was installed. Each
// gets an Event, and all are counted. A miss is never silent.
//
// It keeps no pods. Pass after pass it asks the API server, for one ServiceAccount
// with an identity after the other, for those of its pods that lack podpass's
// label: in a cluster in order that is an empty list each time.
package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

const (
	// defaultPeriod between the starts of two passes.
	defaultPeriod = time.Minute
	// pace is the pause between two lists. A pass over 5,000 ServiceAccounts with
	// identities takes about eight minutes, and is no load.
	pace = 100 * time.Millisecond
	// page bounds what is in memory at one time.
	page = 100
	// eventLife is how long an API server keeps an Event unless told otherwise: then
	// it is told again.
	eventLife = time.Hour
	// maxEvents of one pass. Where podpass is new to a cluster full of annotated
	// ServiceAccounts, the others get theirs in the next passes.
	maxEvents = 200
)

// ServiceAccounts are all that are known: a sastore.Store.
type ServiceAccounts interface {
	Synced() bool
	All() iter.Seq2[types.NamespacedName, sastore.Record]
	GetLive(ctx context.Context, namespace, name string) (sastore.Record, error)
}

// Auditor runs the passes. Replicas need not agree on who does: they find the
// same, and an Event's name follows from its pod.
type Auditor struct {
	Client          kubernetes.Interface
	ServiceAccounts ServiceAccounts
	Settings        inject.Settings
	// Excluded namespaces: those that the registration excludes.
	Excluded []string
	// Period between the starts of two passes; default one minute.
	Period time.Duration
	Log    *slog.Logger

	uninjected atomic.Int64
	finished   atomic.Int64 // in seconds since 1970
	told       map[types.UID]time.Time
}

// Uninjected is the number of pods that the last complete pass found.
func (a *Auditor) Uninjected() int { return int(a.uninjected.Load()) }

// LastPass is when the last complete pass ended; the zero time: none yet.
func (a *Auditor) LastPass() time.Time {
	if s := a.finished.Load(); s != 0 {
		return time.Unix(s, 0)
	}
	return time.Time{}
}

// Run audits until ctx ends.
func (a *Auditor) Run(ctx context.Context) error {
	a.told = map[types.UID]time.Time{}
	for !a.ServiceAccounts.Synced() {
		if !sleep(ctx, time.Second) {
			return nil
		}
	}
	for {
		start := time.Now()
		if err := a.pass(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("Audit pass failed; the next one follows", "error", err)
		}
		if !sleep(ctx, max(pace, cmp.Or(a.Period, defaultPeriod)-time.Since(start))) {
			return nil
		}
	}
}

// pass looks at every ServiceAccount once. An error of one does not keep it from
// the others, but from being complete.
func (a *Auditor) pass(ctx context.Context) error {
	found := map[types.UID]bool{}
	var failed error
	events := maxEvents
	for name, record := range a.ServiceAccounts.All() {
		record, err := a.whole(ctx, name, record)
		if err != nil {
			failed = fmt.Errorf("ServiceAccount %s: %w", name, err)
			continue
		}
		if !a.concerns(name, record) {
			continue
		}
		if !sleep(ctx, pace) {
			return ctx.Err()
		}
		err = a.pods(ctx, name, func(pod *core.Pod) error {
			missed, err := a.missed(pod, name, record)
			if err != nil || missed == nil {
				return err
			}
			found[pod.UID] = true
			if time.Since(a.told[pod.UID]) < eventLife || events == 0 {
				return nil
			}
			events--
			return a.tell(ctx, pod, name.Name, missed)
		})
		if err != nil {
			failed = fmt.Errorf("pods of ServiceAccount %s: %w", name, err)
		}
	}
	if failed != nil {
		return failed
	}
	for uid := range a.told {
		if !found[uid] {
			delete(a.told, uid)
		}
	}
	a.uninjected.Store(int64(len(found)))
	a.finished.Store(time.Now().Unix())
	return nil
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

// concerns reports whether a pod of the ServiceAccount could need podpass.
func (a *Auditor) concerns(name types.NamespacedName, record sastore.Record) bool {
	if slices.Contains(a.Excluded, name.Namespace) {
		return false
	}
	answer := serviceaccount.Resolve(serviceaccount.Request{
		Namespace: name.Namespace, Name: name.Name, Annotations: record.Annotations, Labels: record.Labels,
		// Where the installation demands the label, a pod may have it.
		PodLabels: map[string]string{serviceaccount.KeyAzureWIUse: "true"},
	}, a.Settings.Installation)
	return !answer.Empty()
}

// pods gives fn the ServiceAccount's pods that run, or will, and lack our label.
func (a *Auditor) pods(ctx context.Context, name types.NamespacedName, fn func(*core.Pod) error) error {
	options := meta.ListOptions{
		Limit: page,
		LabelSelector: strings.Join([]string{
			"!" + inject.InjectedLabel, "!" + serviceaccount.KeyEKSSkip, serviceaccount.KeyInject + "!=false",
		}, ","),
		FieldSelector: "spec.serviceAccountName=" + name.Name + ",status.phase!=Succeeded,status.phase!=Failed",
	}
	for {
		list, err := a.Client.CoreV1().Pods(name.Namespace).List(ctx, options)
		if err != nil {
			return err
		}
		for i := range list.Items {
			if list.Items[i].DeletionTimestamp != nil {
				continue
			}
			if err := fn(&list.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}

// missed gives what the pod would get, were it created now; nil: nothing, or a
// denial.
func (a *Auditor) missed(pod *core.Pod, name types.NamespacedName, record sastore.Record) ([]inject.Injection, error) {
	raw, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	p, err := inject.Decode(raw)
	if err != nil {
		return nil, err
	}
	request := p.Request()
	request.Namespace, request.Name = name.Namespace, name.Name
	request.Annotations, request.Labels = record.Annotations, record.Labels
	result, err := inject.Plan(p, serviceaccount.Resolve(request, a.Settings.Installation), a.Settings)
	if err != nil || result.Patch == nil {
		return nil, err
	}
	return result.Injected, nil
}

// Reason and code of the Event; the code has a heading in docs/errors.md.
const (
	eventReason = "CloudIdentityMissing"
	code        = "WI080"
)

// tell writes the Event. One that is there already was another replica's.
func (a *Auditor) tell(ctx context.Context, pod *core.Pod, account string, missed []inject.Injection) error {
	var identities []string
	for _, i := range missed {
		identities = append(identities, i.Cloud+" "+i.Identity)
	}
	now := meta.Now()
	_, err := a.Client.CoreV1().Events(pod.Namespace).Create(ctx, &core.Event{
		ObjectMeta: meta.ObjectMeta{
			Namespace: pod.Namespace,
			// The UID in it: a StatefulSet's next pod has the same name.
			Name: fmt.Sprintf("%.200s.podpass-%.8s", pod.Name, pod.UID),
		},
		InvolvedObject: core.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
		},
		Type: core.EventTypeWarning, Reason: eventReason,
		Message: fmt.Sprintf("%s: the pod runs without the identity that ServiceAccount %s asks for (%.300s): it was created before that, or while podpass could not be reached; "+
			"fix: create it again, for example with kubectl rollout restart", code, account, strings.Join(identities, ", ")),
		Source:         core.EventSource{Component: "podpass"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, meta.CreateOptions{})
	switch {
	case err == nil:
		a.Log.Warn("Pod runs without its identity", "namespace", pod.Namespace, "pod", pod.Name, "serviceAccount", account, "identities", identities)
	case apierrors.IsAlreadyExists(err):
	case apierrors.IsForbidden(err) || apierrors.IsNotFound(err):
		// A namespace that is being deleted takes no Events.
		a.Log.Debug("Event refused", "namespace", pod.Namespace, "pod", pod.Name, "error", err)
	default:
		return fmt.Errorf("write the event of pod %s: %w", pod.Name, err)
	}
	a.told[pod.UID] = now.Time
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
