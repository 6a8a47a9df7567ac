package audit

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/webhook/inject"
)

const (
	// eventLife is how long an API server keeps an Event unless configured otherwise:
	// then it is written again.
	eventLife = time.Hour
	// maxEvents of one pass. Where podpass is new to a cluster full of annotated
	// ServiceAccounts, the others get theirs in the next passes.
	maxEvents = 200
)

// Reason and code of the Event; the code has a heading in docs/errors.md.
const (
	eventReason = "CloudIdentityMissing"
	code        = "WI080"
)

// report writes a pod's Event.
func (a *Auditor) report(ctx context.Context, pod *corev1.Pod, account string, missed []inject.Injection) error {
	var identities []string
	for _, i := range missed {
		identities = append(identities, i.Cloud+" "+i.Identity)
	}
	written, err := a.write(ctx, "Pod", pod.ObjectMeta, eventReason,
		fmt.Sprintf("%s: the pod runs without the identity that ServiceAccount %s asks for (%.300s): it was created before that, or while podpass could not be reached; "+
			"fix: create it again, for example with kubectl rollout restart", code, account, strings.Join(identities, ", ")))
	if err != nil {
		return fmt.Errorf("write the event of pod %s: %w", pod.Name, err)
	}
	if written {
		a.Log.Warn("Pod runs without its identity", "namespace", pod.Namespace, "pod", pod.Name, "serviceAccount", account, "identities", identities)
	}
	return nil
}

// logKeys are what the log calls an object of a kind.
var logKeys = map[string]string{"Pod": "pod", "ServiceAccount": "serviceAccount"}

// write writes the Event of an object, once in an Event's life. One that is there
// already was another leader's, or that of this replica before it restarted: then it is
// not written, nor where the namespace takes none.
//
// client-go's recorders are not used. They name an Event by the time, so that each
// leader would write its own; they write it later, so that a failure is not the
// pass's, and drop it when more than 1,000 wait; and a series of them must be
// patched, which is a permission more.
func (a *Auditor) write(ctx context.Context, kind string, o metav1.ObjectMeta, reason, message string) (written bool, err error) {
	now := metav1.Now()
	_, err = a.Client.CoreV1().Events(o.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: o.Namespace,
			// The UID in it: a StatefulSet's next pod has the same name.
			Name: fmt.Sprintf("%.200s.podpass-%.8s", o.Name, o.UID),
		},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion,
		},
		Type: corev1.EventTypeWarning, Reason: reason, Message: message,
		Source:         corev1.EventSource{Component: "podpass"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	switch {
	case err == nil:
		written = true
	case apierrors.IsAlreadyExists(err):
	case apierrors.IsForbidden(err) || apierrors.IsNotFound(err):
		// A namespace that is being deleted takes no Events.
		a.Log.Debug("Event refused", "namespace", o.Namespace, logKeys[kind], o.Name, "error", err)
	default:
		return false, err
	}
	a.reported[o.UID] = now.Time
	return written, nil
}

// forgetReported forgets the pods whose Events have run out.
func (a *Auditor) forgetReported(now time.Time) {
	maps.DeleteFunc(a.reported, func(_ types.UID, at time.Time) bool { return now.Sub(at) >= eventLife })
}
