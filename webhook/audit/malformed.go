package audit

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// Reason and code of the Event on a ServiceAccount; the code has a heading in
// docs/errors.md.
const (
	malformedReason = "CloudIdentityMalformed"
	malformedCode   = "WI085"
	// maxMessage is what an API server takes as an Event's message, in bytes.
	maxMessage = 1024
)

// malformed counts a ServiceAccount whose annotations deny its pods, and writes its
// Event. What is in memory may be older than the correction of a second ago, so that it
// is read first.
func (a *Auditor) malformed(ctx context.Context, r *round, name types.NamespacedName) error {
	if err := sleep(ctx, pace); err != nil {
		return err
	}
	account, err := a.Client.CoreV1().ServiceAccounts(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	problems := a.resolve(name, sastore.Record{Annotations: account.Annotations, Labels: account.Labels}).Errors
	if len(problems) == 0 {
		return nil
	}
	r.malformed++
	if _, ok := a.reported[account.UID]; ok || r.events == 0 {
		return nil
	}
	r.events--
	return a.reportMalformed(ctx, account, problems)
}

func (a *Auditor) reportMalformed(ctx context.Context, account *corev1.ServiceAccount, problems []serviceaccount.Problem) error {
	now := metav1.Now()
	message := malformedCode + ": podpass denies pods of this ServiceAccount, or will: " + problems[0].String()
	if n := len(problems) - 1; n > 0 {
		message = fmt.Sprintf("%s (and %d more)", federation.Clip(message, maxMessage-32), n)
	}
	_, err := a.Client.CoreV1().Events(account.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: account.Namespace,
			Name:      fmt.Sprintf("%.200s.podpass-%.8s", account.Name, account.UID),
		},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: "ServiceAccount", Namespace: account.Namespace, Name: account.Name, UID: account.UID, ResourceVersion: account.ResourceVersion,
		},
		Type: corev1.EventTypeWarning, Reason: malformedReason, Message: federation.Clip(message, maxMessage),
		Source:         corev1.EventSource{Component: "podpass"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	switch {
	case err == nil:
		a.Log.Warn("ServiceAccount is malformed", "namespace", account.Namespace, "serviceAccount", account.Name, "problem", problems[0].Code)
	case apierrors.IsAlreadyExists(err):
	case apierrors.IsForbidden(err) || apierrors.IsNotFound(err):
		a.Log.Debug("Event refused", "namespace", account.Namespace, "serviceAccount", account.Name, "error", err)
	default:
		return fmt.Errorf("write the event: %w", err)
	}
	a.reported[account.UID] = now.Time
	return nil
}
