package audit

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/podpass-io/podpass/webhook/owned"
)

// Lease is a LeaseLock whose Lease belongs to the webhook's registration, so that it goes
// with the release. As any lock it is for one goroutine.
type Lease struct {
	*resourcelock.LeaseLock
	client  kubernetes.Interface
	webhook string
	// given: this replica has seen to the owner. Later on only deletion takes it away.
	given bool
}

// NewLease is the lock of a replica on a Lease; webhook names the registration.
func NewLease(client kubernetes.Interface, namespace, name, webhook, replica string) *Lease {
	return &Lease{client: client, webhook: webhook, LeaseLock: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: replica},
	}}
}

// Get reads the Lease. One that a former release made is given its owner first.
func (l *Lease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if !l.given {
		if err := l.give(ctx); err != nil {
			return nil, nil, err
		}
	}
	return l.LeaseLock.Get(ctx)
}

func (l *Lease) give(ctx context.Context) error {
	leases := l.client.CoordinationV1().Leases(l.LeaseMeta.Namespace)
	lease, err := leases.Get(ctx, l.LeaseMeta.Name, metav1.GetOptions{})
	if err != nil {
		return err // perhaps there is none, which the elector makes
	}
	owner, err := l.owner(ctx)
	if err != nil {
		return err
	}
	if owned.Give(lease, owner) {
		if _, err := leases.Update(ctx, lease, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("make MutatingWebhookConfiguration %s the owner of lease %s: %w", l.webhook, l.Describe(), err)
		}
	}
	l.given = true
	return nil
}

// Create makes the Lease. Without a registration it makes none: the release has gone, or
// is about to come.
func (l *Lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	owner, err := l.owner(ctx)
	if err != nil {
		return err
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.LeaseMeta.Namespace, Name: l.LeaseMeta.Name, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       resourcelock.LeaderElectionRecordToLeaseSpec(&record),
	}
	if _, err := l.client.CoordinationV1().Leases(lease.Namespace).Create(ctx, lease, metav1.CreateOptions{}); err != nil {
		return err
	}
	l.given = true
	_, _, err = l.LeaseLock.Get(ctx) // it keeps what it read, for Update
	return err
}

func (l *Lease) owner(ctx context.Context) (metav1.OwnerReference, error) {
	r, err := l.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(ctx, l.webhook, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		// Not the Lease's absence, by which the elector would go.
		return metav1.OwnerReference{}, fmt.Errorf("there is no MutatingWebhookConfiguration %s to own lease %s", l.webhook, l.Describe())
	}
	if err != nil {
		return metav1.OwnerReference{}, fmt.Errorf("read MutatingWebhookConfiguration %s, which is to own lease %s: %w", l.webhook, l.Describe(), err)
	}
	return owned.By(r), nil
}
