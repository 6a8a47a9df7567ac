// Package servingcert gives the webhook the certificate that the API server
// trusts, without anybody's help.
//
// A CA is kept in a Secret, shared by all replicas; each replica signs a leaf for
// itself and keeps it in memory. The CA's certificate is published as caBundle in
// the webhook's registrations. To replace the CA, the next one is published beside
// the current one, every replica says in the Secret that it has seen it published,
// and only then does anybody sign with it: there is no moment at which the API
// server meets a leaf that it does not trust, and no replica, however late, that
// would publish a bundle without it.
//
// Whoever wants a new CA before its time deletes the Secret.
package servingcert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// Lives. A replica that is cut off from the API server keeps serving for half of
// leafLife; the CA's replacement begins when a third of its life is left.
const (
	caLife   = 365 * 24 * time.Hour
	leafLife = 7 * 24 * time.Hour
	// overlap is how long the next CA is published, at least, before it signs: many
	// times what API servers need to notice a changed registration, which they watch.
	overlap = time.Minute
	// patience is how much life of the current CA must be left for a rotation to wait
	// on a replica that does not say that it has the next one.
	patience = 30 * 24 * time.Hour
	// checkEvery is how often a replica compares what is with what should be. An
	// upgrade of the chart may empty the caBundle; this is how long that may last.
	checkEvery = 10 * time.Second
)

// Keys of the Secret. With next, a replacement is under way; previous stays in the
// bundle until the leaves that it signed have ended.
const (
	keyCert     = "ca.crt"
	keyKey      = "ca.key"
	keyNextCert = "next.crt"
	keyNextKey  = "next.key"
	keyPrevious = "previous.crt"
)

// Annotations of the Secret.
const (
	// annotationPublished names the replicas that have seen the next CA published,
	// separated by commas.
	annotationPublished = "podpass.io/next-published-by"
	// annotationSince is when the current CA began to sign.
	annotationSince = "podpass.io/signing-since"
)

// Source makes and keeps a replica's certificate.
type Source struct {
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
	// Cache is by CacheOptions.
	Cache cache.Cache
	Log   *slog.Logger

	leaf atomic.Pointer[tls.Certificate]
	// last is what the Secret held when it was last seen, for when somebody deletes it.
	last map[string][]byte
}

// Run keeps the certificate and the registration until ctx ends.
func (s *Source) Run(ctx context.Context) error {
	failing := false
	for {
		err := s.check(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			failing = true
			s.Log.Error("Serving certificate or its registration is not as it should be", "error", err)
		case err == nil && failing:
			failing = false
			s.Log.Info("Serving certificate and its registration are as they should be again")
		}
		pause := checkEvery
		if s.leaf.Load() == nil {
			pause = time.Second // two replicas that start at once meet in the Secret
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// Certificate is for tls.Config.GetCertificate.
func (s *Source) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if leaf := s.leaf.Load(); leaf != nil {
		return leaf, nil
	}
	return nil, errors.New("no serving certificate yet")
}

// Ready reports whether there is a certificate that the registration covers.
func (s *Source) Ready() bool { return time.Now().Before(s.NotAfter()) }

// NotAfter is when the certificate ends; the zero time if there is none.
func (s *Source) NotAfter() time.Time {
	if leaf := s.leaf.Load(); leaf != nil {
		return leaf.Leaf.NotAfter
	}
	return time.Time{}
}

// check brings Secret, registration and leaf, in this order, to what they should be.
func (s *Source) check(ctx context.Context) error {
	secret, err := s.secret(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	current, err := parsePair(secret.Data[keyCert], secret.Data[keyKey])
	if err != nil {
		return fmt.Errorf("secret %s/%s: %w; delete it, and podpass makes a new CA", s.Namespace, s.Secret, err)
	}
	s.last = secret.Data
	if err := s.publish(ctx, bundle(secret.Data, now)); err != nil {
		return err
	}
	if err := s.acknowledge(ctx, secret); err != nil {
		return err
	}
	return s.sign(current, now)
}

// secret gives the CA's Secret, made or moved on if need be. Replicas that do so at
// the same time are told apart by the API server: one wins, the others read.
func (s *Source) secret(ctx context.Context) (*core.Secret, error) {
	secrets := s.Client.CoreV1().Secrets(s.Namespace)
	secret, err := secrets.Get(ctx, s.Secret, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return s.create(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	step, err := moveOn(secret, time.Now(), func() (bool, error) { return s.agreed(ctx, secret) })
	if err != nil || step == "" {
		return secret, err
	}
	updated, err := secrets.Update(ctx, secret, meta.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return secrets.Get(ctx, s.Secret, meta.GetOptions{}) // another replica did it
	}
	if err == nil {
		s.Log.Info("CA rotation", "step", step)
	}
	return updated, err
}

// create makes the Secret: with a first CA, or, if it was there before, with the
// CA that signs now and the next one, so that a deletion is a rotation like others.
func (s *Source) create(ctx context.Context) (*core.Secret, error) {
	secrets := s.Client.CoreV1().Secrets(s.Namespace)
	fresh, err := newCA(time.Now())
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{keyCert: fresh.certPEM, keyKey: fresh.keyPEM}
	if s.last != nil {
		data = map[string][]byte{
			keyCert: s.last[keyCert], keyKey: s.last[keyKey], keyPrevious: s.last[keyPrevious],
			keyNextCert: fresh.certPEM, keyNextKey: fresh.keyPEM,
		}
	}
	secret, err := secrets.Create(ctx, &core.Secret{
		ObjectMeta: meta.ObjectMeta{Name: s.Secret, Namespace: s.Namespace}, Data: data,
	}, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return secrets.Get(ctx, s.Secret, meta.GetOptions{})
	}
	if err == nil {
		s.Log.Info("Made a CA", "secret", s.Secret, "notAfter", fresh.cert.NotAfter, "rotation", s.last != nil)
	}
	return secret, err
}

// sign gives this replica a leaf if it has none, half of its life has gone, or the
// CA is another.
func (s *Source) sign(ca pair, now time.Time) error {
	if leaf := s.leaf.Load(); leaf != nil &&
		now.Before(leaf.Leaf.NotBefore.Add(backdate+leafLife/2)) && leaf.Leaf.CheckSignatureFrom(ca.cert) == nil {
		return nil
	}
	var names []string
	for _, service := range s.Services {
		names = append(names, service+"."+s.Namespace+".svc") // as the API server asks for it
	}
	leaf, err := ca.sign(now, names...)
	if err != nil {
		return fmt.Errorf("sign the serving certificate: %w", err)
	}
	s.leaf.Store(leaf)
	s.Log.Info("Signed a serving certificate", "notAfter", leaf.Leaf.NotAfter)
	return nil
}
