package audit

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func registered(uid string) *admissionregistrationv1.MutatingWebhookConfiguration {
	r := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "podpass"}}
	r.UID = "first"
	if uid != "" {
		r.UID = "second"
	}
	return r
}

// TestLeaseGoesWithTheRelease: the audit's Lease belongs to the registration, whoever made
// it; without a registration there is none, and no audit.
func TestLeaseGoesWithTheRelease(t *testing.T) {
	byFormer := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "podpass-system", Name: "audit"}}
	ownedBy := func(r *admissionregistrationv1.MutatingWebhookConfiguration) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration", Name: "podpass", UID: r.UID}}
	}
	stale := byFormer.DeepCopy()
	stale.OwnerReferences = ownedBy(registered(""))
	for name, tt := range map[string]struct {
		have []runtime.Object
		want []metav1.OwnerReference // nil: no Lease, and no audit
	}{
		"made here":                       {[]runtime.Object{registered("")}, ownedBy(registered(""))},
		"of a release before":             {[]runtime.Object{registered(""), byFormer}, ownedBy(registered(""))},
		"the registration was made again": {[]runtime.Object{registered("second"), stale}, ownedBy(registered("second"))},
		"no registration":                 {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset(tt.have...)
				ctx, stop := context.WithCancel(t.Context())
				audits := false
				l := &Leader{Lock: NewLease(client, "podpass-system", "audit", "podpass", "a"), Log: slog.New(slog.DiscardHandler), Audit: func(ctx context.Context) error {
					audits = true
					<-ctx.Done()
					return nil
				}}
				ended := make(chan error, 1)
				go func() { ended <- l.Start(ctx) }()
				time.Sleep(time.Minute) // renewals
				synctest.Wait()
				if audits != (tt.want != nil) {
					t.Errorf("audits: %t", audits)
				}
				lease, err := client.CoordinationV1().Leases("podpass-system").Get(t.Context(), "audit", metav1.GetOptions{})
				switch {
				case tt.want == nil && !apierrors.IsNotFound(err):
					t.Errorf("a Lease without an owner: %v", err)
				case tt.want != nil && err != nil:
					t.Error(err)
				case tt.want != nil:
					if d := cmp.Diff(tt.want, lease.OwnerReferences); d != "" {
						t.Error(d)
					}
					if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != "a" {
						t.Errorf("held by %v", lease.Spec.HolderIdentity)
					}
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
