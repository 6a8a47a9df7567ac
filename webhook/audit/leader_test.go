package audit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// replica runs a Leader until its stop; it audits while auditing is true.
type replica struct {
	auditing atomic.Bool
	cut      atomic.Bool // from the API server
	stop     context.CancelFunc
	ended    chan error
}

func startReplica(t *testing.T, name string, client *fake.Clientset) *replica {
	t.Helper()
	r := &replica{ended: make(chan error, 1)}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: "podpass-system", Name: "audit"},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}
	l := &Leader{Lock: cutLock{lock, r}, Log: slog.New(slog.DiscardHandler), Audit: func(ctx context.Context) error {
		r.auditing.Store(true)
		defer r.auditing.Store(false)
		<-ctx.Done()
		return nil
	}}
	if l.NeedLeaderElection() {
		t.Error("the manager's own election would end the process")
	}
	go func() { r.ended <- l.Start(ctx) }()
	return r
}

// cutLock fails while its replica is cut off.
type cutLock struct {
	resourcelock.Interface
	r *replica
}

func (l cutLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.r.cut.Load() {
		return errors.New("the API server cannot be reached")
	}
	return l.Interface.Update(ctx, record)
}

func wantAuditing(t *testing.T, when string, first, second bool, a, b *replica) {
	t.Helper()
	synctest.Wait()
	if a.auditing.Load() != first || b.auditing.Load() != second {
		t.Errorf("%s: the first audits: %t, the second: %t; want %t, %t", when, a.auditing.Load(), b.auditing.Load(), first, second)
	}
}

// TestOneReplicaAudits: not each of them lists all pods; and a replica that loses the
// Lease goes on as a process, audits no more, and may again.
func TestOneReplicaAudits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		a := startReplica(t, "a", client)
		time.Sleep(retryPeriod)
		b := startReplica(t, "b", client)
		time.Sleep(10 * time.Minute)
		wantAuditing(t, "from the start", true, false, a, b)

		a.cut.Store(true)
		time.Sleep(renewDeadline + 2*retryPeriod) // and before anybody else may have it
		if synctest.Wait(); a.auditing.Load() {
			t.Error("audits although another may have the lease")
		}
		time.Sleep(leaseDuration)
		wantAuditing(t, "after the first was cut off", false, true, a, b)
		select {
		case err := <-a.ended:
			t.Fatalf("losing the lease ended the runnable, and with it the process: %v", err)
		default:
		}

		a.cut.Store(false)
		time.Sleep(10 * time.Minute)
		wantAuditing(t, "after the first is back", false, true, a, b)
		b.stop() // its shutdown gives the lease back
		if err := <-b.ended; err != nil {
			t.Error(err)
		}
		time.Sleep(3 * retryPeriod) // client-go's jitter makes one pause up to 2.2 of them
		wantAuditing(t, "after the second has ended", true, false, a, b)
		a.stop()
		if err := <-a.ended; err != nil {
			t.Error(err)
		}
	})
}

// TestStartsWithoutTheAPIServer: a replica that comes up meanwhile waits, and audits later.
func TestStartsWithoutTheAPIServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		var away atomic.Bool
		away.Store(true)
		client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
			return away.Load(), nil, errors.New("the API server cannot be reached")
		})
		r := startReplica(t, "a", client)
		time.Sleep(time.Hour)
		wantAuditing(t, "without the API server", false, false, r, r)
		away.Store(false)
		time.Sleep(4 * retryPeriod)
		wantAuditing(t, "with the API server", true, true, r, r)
		r.stop()
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
	})
}

// TestLogTellsWhoAudits, by the Lease, of an audit that ended by itself, and of a Lease
// that was lost, which the end of the process is not.
func TestLogTellsWhoAudits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		r := new(replica)
		l := &Leader{
			Lock: cutLock{&resourcelock.LeaseLock{
				LeaseMeta: metav1.ObjectMeta{Namespace: "podpass-system", Name: "audit"}, Client: fake.NewClientset().CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: "a"},
			}, r},
			Audit: func(context.Context) error { return errors.New("stumbled") },
			Log:   textLog(&log),
		}
		ended := make(chan error, 1)
		go func() { ended <- l.Start(ctx) }()
		time.Sleep(time.Second)
		r.cut.Store(true)
		time.Sleep(2 * renewDeadline)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want := []string{
			`level=INFO msg="Audits from now on" lease=podpass-system/audit`, `level=ERROR msg="Audit ended" error=stumbled`,
			`level=WARN msg="The audit's lease was lost; admission goes on" lease=podpass-system/audit`,
		}
		if diff := cmp.Diff(want, lines(&log)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLeaderNeedsALease: what cannot be an election is an error at the start.
func TestLeaderNeedsALease(t *testing.T) {
	l := &Leader{Lock: &resourcelock.LeaseLock{}, Log: slog.New(slog.DiscardHandler)}
	if err := l.Start(t.Context()); err == nil {
		t.Error("no error without an identity")
	}
}
