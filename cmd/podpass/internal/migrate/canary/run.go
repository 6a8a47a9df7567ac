package canary

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/webhook/inject"
)

// broker is the name of podpass's sidecar.
const broker = "podpass-broker"

const (
	// poll is how often a canary is looked at: somebody waits, and it takes seconds.
	poll = time.Second
	// maxEvents of a pod are told: the last ones say why.
	maxEvents = 3
)

// Runner runs canaries.
type Runner struct {
	Client kubernetes.Interface
	// Explain asks the broker of a pod what keeps it from its credentials.
	Explain func(ctx context.Context, namespace, pod string) ([]finding.Finding, error)
	Poll    time.Duration // zero: poll
}

// Failure says what a canary did not do.
type Failure struct{ Reasons []string }

// Error has all reasons on one line.
func (f *Failure) Error() string { return strings.Join(f.Reasons, "; ") }

// Run runs a canary to its end, and takes it away, whatever comes; a *Failure is what it
// did not do.
func (r Runner) Run(ctx context.Context, w Want) error {
	pod, err := Pod(w)
	if err != nil {
		return err
	}
	if err := r.Remove(ctx, w.Namespace, w.Name); err != nil { // of a run that was killed
		return err
	}
	own := make([]string, len(pod.Spec.Containers))
	for i, c := range pod.Spec.Containers {
		own[i] = c.Name
	}
	if err := r.injected(ctx, pod); err != nil {
		return err
	}
	pod, err = r.create(ctx, pod)
	if err != nil {
		return err
	}
	err = r.prove(ctx, pod, w, own)
	// It goes also where somebody has pressed Ctrl-C. Else the next run takes it away.
	return cmp.Or(err, r.delete(context.WithoutCancel(ctx), w.Namespace, w.Name))
}

func (r Runner) create(ctx context.Context, pod *corev1.Pod, dryRun ...string) (*corev1.Pod, error) {
	made, err := r.Client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{FieldManager: live.Manager, DryRun: dryRun})
	if err != nil {
		return nil, fmt.Errorf("create the canary %s: %w", pod.Name, live.Plain(err))
	}
	return made, nil
}

// lag is how many looks the webhook gets to learn of a ServiceAccount that was annotated
// a moment ago.
const lag = 5

// injected waits until podpass would inject the canary, or until it has had its time: then
// the canary itself will tell.
func (r Runner) injected(ctx context.Context, pod *corev1.Pod) error {
	for range lag {
		made, err := r.create(ctx, pod, metav1.DryRunAll)
		if err != nil || made.Labels[inject.InjectedLabel] != "" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(cmp.Or(r.Poll, poll)):
		}
	}
	return nil
}

func (r Runner) prove(ctx context.Context, pod *corev1.Pod, w Want, own []string) error {
	sidecar := slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == broker })
	if !sidecar && w.Probe == "" {
		return hint.New(&Failure{[]string{"the canary has no sidecar of podpass, and proves nothing without a probe"}},
			"podpass doctor sa/"+w.ServiceAccount+" -n "+w.Namespace+" --admission says why; in direct mode give --probe COMMAND")
	}
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	for {
		now, err := r.Client.CoreV1().Pods(w.Namespace).Get(ctx, w.Name, metav1.GetOptions{})
		if err == nil {
			pod = now
			if done, failed := state(pod, own); len(failed) > 0 {
				return r.failure(ctx, pod, failed)
			} else if done {
				return nil
			}
		} else if ctx.Err() == nil {
			return fmt.Errorf("read the canary %s: %w", w.Name, err)
		}
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			return r.failure(context.WithoutCancel(ctx), pod, append([]string{"it was not done after " + w.Timeout.String()}, waits(pod)...))
		case <-time.After(cmp.Or(r.Poll, poll)):
		}
	}
}

// stuck are reasons to wait that do not go away by themselves.
var stuck = []string{"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}

// state is whether all of the pod's own containers have done what they should, or what
// has failed. Sidecars that others put into it may go on.
func state(pod *corev1.Pod, own []string) (done bool, failed []string) {
	ended, started := 0, false
	for _, s := range pod.Status.ContainerStatuses {
		if !slices.Contains(own, s.Name) {
			continue
		}
		t := s.State.Terminated
		started = started || t != nil || s.State.Running != nil
		switch {
		case t != nil && t.ExitCode == 0:
			ended++
		case t != nil:
			failed = append(failed, fmt.Sprintf("container %s ended with status %d", s.Name, t.ExitCode))
		}
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && slices.Contains(stuck, w.Reason) {
			failed = append(failed, fmt.Sprintf("container %s does not start: %s", s.Name, w.Reason))
		}
		if s.Name == broker && !started {
			failed = append(failed, brokerEnd(s)...)
		}
	}
	switch {
	case len(failed) > 0 || ended == len(own):
		return len(failed) == 0, failed
	case pod.Status.Phase == corev1.PodFailed:
		return false, []string{strings.TrimSuffix("the pod failed: "+pod.Status.Reason, ": ")}
	}
	return false, nil
}

// brokerEnd is why the broker ended before the others could start; its own words, which
// hold no token.
func brokerEnd(s corev1.ContainerStatus) []string {
	for _, state := range []corev1.ContainerState{s.State, s.LastTerminationState} {
		if t := state.Terminated; t != nil && (t.ExitCode != 0 || s.RestartCount > 0) {
			return []string{strings.TrimSpace(fmt.Sprintf("podpass's sidecar ended with status %d: %s", t.ExitCode, strings.TrimSpace(t.Message)))}
		}
	}
	return nil
}

// waits are what a pod that does not start waits for.
func waits(pod *corev1.Pod) []string {
	var list []string
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			list = append(list, "no node takes it: "+c.Message)
		}
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && w.Reason != "" {
			list = append(list, fmt.Sprintf("container %s waits: %s", s.Name, w.Reason))
		}
	}
	return list
}

// failure has what else says why: the broker's own explanation, and the pod's events.
func (r Runner) failure(ctx context.Context, pod *corev1.Pod, reasons []string) error {
	if r.Explain != nil && slices.ContainsFunc(pod.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == broker && s.State.Running != nil }) {
		list, err := r.Explain(ctx, pod.Namespace, pod.Name)
		for _, f := range list {
			reasons = append(reasons, f.String())
		}
		if err != nil {
			reasons = append(reasons, "its broker could not be asked: "+err.Error())
		}
	}
	events, err := r.Client.CoreV1().Events(pod.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning,involvedObject.name=" + pod.Name + ",involvedObject.uid=" + string(pod.UID)})
	if err == nil { // they may be forbidden, and are only more of the same
		for _, e := range events.Items[max(0, len(events.Items)-maxEvents):] {
			reasons = append(reasons, "event "+e.Reason+": "+e.Message)
		}
	}
	return &Failure{reasons}
}

// Remove takes a canary away, and waits until it is gone.
func (r Runner) Remove(ctx context.Context, namespace, name string) error {
	for {
		pod, err := r.Client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return fmt.Errorf("read the canary %s: %w", name, err)
		case pod.Labels[managedBy] != live.Manager:
			return hint.New(fmt.Errorf("pod %s/%s is none of podpass's", namespace, name), "give it another name: the canary needs that one")
		}
		if err := r.delete(ctx, namespace, name); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll / 4):
		}
	}
}

func (r Runner) delete(ctx context.Context, namespace, name string) error {
	err := r.Client.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the canary %s: %w", name, err)
	}
	return nil
}
