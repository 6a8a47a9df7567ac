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
	// maxMessage is what an API server takes as an Event's message, in bytes, without the
	// dots of one that is cut.
	maxMessage = 1024 - len("...")
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

// reportMalformed writes a ServiceAccount's Event.
func (a *Auditor) reportMalformed(ctx context.Context, account *corev1.ServiceAccount, problems []serviceaccount.Problem) error {
	message := malformedCode + ": podpass denies pods of this ServiceAccount, or will: " + problems[0].String()
	if n := len(problems) - 1; n > 0 {
		message = fmt.Sprintf("%s (and %d more)", federation.Clip(message, maxMessage-32), n)
	}
	written, err := a.write(ctx, "ServiceAccount", account.ObjectMeta, malformedReason, federation.Clip(message, maxMessage))
	if err != nil {
		return fmt.Errorf("write the event: %w", err)
	}
	if written {
		a.Log.Warn("ServiceAccount is malformed", "namespace", account.Namespace, "serviceAccount", account.Name, "problem", problems[0].Code)
	}
	return nil
}
