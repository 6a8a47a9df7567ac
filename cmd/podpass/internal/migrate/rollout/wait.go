package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
)

const (
	// poll is how often a workload is looked at: a rollout takes from seconds to minutes.
	poll = 2 * time.Second
	// maxRestarts of a new container are taken for a slow dependency; more are a loop.
	maxRestarts = 2
)

// Waiter waits for rollouts. It is not safe for concurrent use.
type Waiter struct {
	Client  kubernetes.Interface
	Objects *live.Objects
	Say     func(format string, args ...any)
	Poll    time.Duration // zero: poll

	above map[types.UID]*metav1.OwnerReference
}

// Wait waits until all pods of a workload are new and ready, and gives one of them; nil:
// it has none. An error says what it still waits for, or why that will not come.
func (w Waiter) Wait(ctx context.Context, object graph.Object, timeout time.Duration, isNew func(*corev1.Pod) (bool, error)) (*corev1.Pod, error) {
	w.above = map[types.UID]*metav1.OwnerReference{}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	said := ""
	for {
		pod, waits, err := w.look(ctx, object, isNew)
		if ctx.Err() == nil {
			if err != nil || waits == "" {
				return pod, err
			}
			if waits != said {
				w.Say("%s: %s", object, waits)
			}
			said = waits
		}
		select {
		case <-ctx.Done():
			if outer.Err() != nil {
				return nil, outer.Err()
			}
			return nil, fmt.Errorf("%s: after %s: %s", object, timeout, cmp.Or(said, "the cluster has not answered"))
		case <-time.After(cmp.Or(w.Poll, poll)):
		}
	}
}

// look says what there is still to wait for; empty: nothing. Where nobody else replaces the
// old pods it deletes one of them when the new ones are ready.
func (w Waiter) look(ctx context.Context, object graph.Object, isNew func(*corev1.Pod) (bool, error)) (*corev1.Pod, string, error) {
	of, err := w.Objects.Get(ctx, object)
	if err != nil {
		return nil, "", err
	}
	if of == nil {
		return nil, "", fmt.Errorf("%s is not there any more", object)
	}
	waits, err := pending(of)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", object, err)
	}
	pods, err := w.pods(ctx, of)
	if err != nil {
		return nil, "", err
	}
	var fresh *corev1.Pod
	var old []corev1.Pod
	unready := ""
	for i := range pods {
		p := &pods[i]
		is, err := isNew(p)
		switch {
		case err != nil:
			return nil, "", err
		case !is || p.DeletionTimestamp != nil:
			old = append(old, *p)
			continue
		}
		if err := looping(p); err != nil {
			return nil, "", err
		}
		if !ready(p) {
			unready = "pod " + p.Name + " is not ready"
		}
		fresh = p
	}
	if manual(of) && len(old) > 0 && unready == "" && int64(len(pods)) >= desired(of) {
		return nil, fmt.Sprintf("%d old pods are replaced one by one", len(old)), w.replace(ctx, old)
	}
	if len(old) > 0 {
		waits = cmp.Or(waits, fmt.Sprintf("%d old pods still run, as %s", len(old), old[0].Name))
	}
	return fresh, cmp.Or(waits, unready), nil
}

// replace deletes one of the old pods, if none of them is about to go.
func (w Waiter) replace(ctx context.Context, old []corev1.Pod) error {
	if slices.ContainsFunc(old, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil }) {
		return nil
	}
	p := old[len(old)-1]
	err := w.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &p.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete pod %s: %w", p.Name, err)
	}
	return nil
}

func ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// looping is that a new pod's container ends again and again: nobody needs to wait for it.
func looping(p *corev1.Pod) error {
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.RestartCount > maxRestarts && !s.Ready {
			err := fmt.Errorf("pod %s: container %s has ended %d times", p.Name, s.Name, s.RestartCount)
			if t := s.LastTerminationState.Terminated; t != nil {
				err = fmt.Errorf("%w, with status %d", err, t.ExitCode)
			}
			return err
		}
	}
	return nil
}

// Gone waits until an object is.
func (w Waiter) Gone(ctx context.Context, object graph.Object, uid types.UID, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		u, err := w.Objects.Get(ctx, object)
		if err == nil && (u == nil || u.GetUID() != uid) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s is still there", object), ctx.Err())
		case <-time.After(cmp.Or(w.Poll, poll)):
		}
	}
}
