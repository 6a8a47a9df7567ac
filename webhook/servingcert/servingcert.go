// Package servingcert gives the webhook the certificate that the API server
// trusts, without anybody's help.
//
// A CA is kept in a Secret, shared by all replicas; each replica signs a leaf for
// itself and keeps it in memory. The CA's certificate is published as caBundle in
// the webhook's registrations. To replace the CA, the next one is published beside
// the current one, every replica says in the Secret that it has seen it published,
// and only then does anybody sign with it.
//
// A bundle is never overwritten: what a registration trusts already stays until it
// has not been the Secret's for a leaf's life. So whatever becomes of the Secret,
// deleted, restored from a backup, edited, no replica's leaf loses its trust, and no
// replica changes to another CA before that has been published for a while. A Secret
// that cannot be used is replaced, by the CA that the replicas have in memory and a
// next one: whoever wants a new CA before its time deletes the Secret.
//
// All times are the API server's. It judges the certificates, so its clock decides
// when they begin and end; a replica's own clock, however wrong, decides nothing.
package servingcert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"golang.org/x/time/rate"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// Lives. A replica that is cut off from the API server keeps serving for half of
// leafLife; the CA's replacement begins when a third of its life is left.
const (
	caLife   = 365 * 24 * time.Hour
	leafLife = 7 * 24 * time.Hour
	// overlap is how long a CA is published, at least, before a replica whose leaf is
	// trusted changes to it: many times what API servers need to notice a changed
	// registration, which they watch.
	overlap = time.Minute
	// patience is how much life of the current CA must be left for a rotation to wait
	// on a replica that does not say that it has the next one.
	patience = 30 * 24 * time.Hour
)

// When a replica compares what is with what should be.
const (
	// checkEvery is for what comes with time alone, the steps of a rotation and the
	// leaf's renewal: a change of the Secret or a registration is seen at once.
	checkEvery = 30 * time.Second
	// checkTimeout bounds a check whose API server does not answer.
	checkTimeout = 30 * time.Second
	// checkBurst checks may follow one another at once, then one a second: somebody
	// who keeps undoing what podpass does costs the API server no more than that.
	checkBurst = 10
)

// Source makes and keeps a replica's certificate. It is a runnable of a manager.
type Source struct {
	// Cache has, by CacheOptions, the Secret and the registrations; it tells of changes.
	Cache cache.Cache
	// Client writes to them, each time to the version that was read.
	Client kubernetes.Interface
	// Namespace of the Secret and of the Service.
	Namespace string
	// Secret that holds the CA.
	Secret string
	// Services that the leaf is for; the first is that of all replicas.
	Services []string
	// Replica is this replica's name, as the Service's EndpointSlices have it; empty
	// outside of a cluster, where nobody waits for others.
	Replica string
	// Webhook names the MutatingWebhookConfiguration whose caBundle is kept, and the
	// ValidatingWebhookConfiguration, if there is one.
	Webhook string
	Log     *slog.Logger

	leaf atomic.Pointer[tls.Certificate]
	// clock is the last reading of the API server's; check alone writes it.
	clock atomic.Pointer[reading]

	// What follows belongs to check.

	// last is what the Secret held when it could last be used.
	last authorities
	// signer signed leaf.
	signer *x509.Certificate
	// published says since when, by this replica's clock, the Secret's CAs have been in
	// all registrations without interruption.
	published map[string]time.Time
}

// NeedLeaderElection is false: each replica keeps its own certificate.
func (*Source) NeedLeaderElection() bool { return false }

// Start keeps the certificate and the registrations until ctx ends. It returns an
// error only if Cache cannot be watched.
func (s *Source) Start(ctx context.Context) error {
	changed, err := s.watch(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	limit := rate.NewLimiter(rate.Every(time.Second), checkBurst)
	var failed *wait.Backoff
	for limit.Wait(ctx) == nil {
		err := s.check(ctx)
		pause := wait.Jitter(checkEvery, 0.5)
		switch {
		case ctx.Err() != nil:
			continue // and ends
		case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
			// Another replica was faster, or the cache is behind. The change that was in
			// the way is about to be seen; the pause is for when it was seen before.
			s.Log.Debug("Serving certificate: another replica was faster", "error", err)
			pause = wait.Jitter(time.Second, 1)
		case err != nil:
			if failed == nil {
				failed = &wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.5, Steps: 10, Cap: checkEvery}
			}
			pause = failed.Step()
			s.Log.Error("Serving certificate or its registration is not as it should be", "error", err)
		case failed != nil:
			failed = nil
			s.Log.Info("Serving certificate and its registration are as they should be again")
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(pause):
		}
	}
	return nil
}

// check brings Secret, registrations and leaf, in this order, to what they should
// be. What can be done without the Secret is done without it.
func (s *Source) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	secret, secretErr := s.secret(ctx, now)
	if secretErr == nil {
		s.last = parseAuthorities(secret.Data)
	}
	if s.last.current.cert == nil {
		return secretErr
	}
	if err := s.publish(ctx, now); err != nil {
		return errors.Join(secretErr, err)
	}
	if secretErr == nil {
		secretErr = s.acknowledge(ctx, secret)
	}
	return errors.Join(secretErr, s.renew(now))
}
