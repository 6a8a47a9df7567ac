package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Lease times. A pass takes minutes, so that nobody misses the audit for half a
// minute; client-go's defaults would ask the API server three times as often.
const (
	leaseDuration = 30 * time.Second
	renewDeadline = 20 * time.Second
	retryPeriod   = 5 * time.Second
)

// Leader runs the audit on the replica that holds a Lease. It is a runnable of the
// manager's, on each replica.
//
// The manager's own leader election ends the process when the lease is lost, which
// a slow API server suffices for: here the process serves admissions, and only the
// audit stops until the lease is held again.
type Leader struct {
	// Lock is the Lease, with the name of this replica.
	Lock resourcelock.Interface
	// Audit runs while the lease is held: Auditor.Run. It returns when ctx ends.
	Audit func(ctx context.Context) error
	Log   *slog.Logger
}

// NeedLeaderElection is false: that is what Start does.
func (*Leader) NeedLeaderElection() bool { return false }

// Start leads and follows in turns until ctx ends.
func (l *Leader) Start(ctx context.Context) error {
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: l.Lock, Name: "audit", LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		// The next leader need not wait. It may begin before the audit here has ended,
		// which does no harm: see Auditor.
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				l.Log.Info("Audits from now on", "lease", l.Lock.Describe())
				if err := l.Audit(ctx); err != nil {
					l.Log.Error("Audit ended", "error", err)
				}
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("leader election of the audit: %w", err)
	}
	for ctx.Err() == nil {
		elector.Run(ctx)
		if ctx.Err() == nil {
			l.Log.Warn("The audit's lease was lost; admission goes on", "lease", l.Lock.Describe())
		}
	}
	return nil
}
