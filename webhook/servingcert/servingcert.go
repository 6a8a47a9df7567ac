// Package servingcert gives the webhook the certificate that the API server
// trusts, without anybody's help.
//
// A CA is kept in a Secret, shared by all replicas; each replica signs a leaf for
// itself and keeps it in memory. The CA's certificate is published as caBundle in
// the webhook's registration. To replace the CA, the next one is published beside
// the current one long before anything is signed with it: there is no moment at
// which the API server meets a leaf that it does not trust.
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
)

// Lives. A replica that is cut off from the API server keeps serving for half of
// leafLife; the CA's replacement begins when a third of its life is left.
const (
	caLife   = 365 * 24 * time.Hour
	leafLife = 7 * 24 * time.Hour
	// overlap is how long the next CA is published before it signs: many times
	// checkEvery, by which each replica has published it, and what API servers need
	// to notice a changed registration.
	overlap = 10 * time.Minute
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

// Source makes and keeps a replica's certificate.
type Source struct {
	Client kubernetes.Interface
	// Namespace of the Secret and of the Service.
	Namespace string
	// Secret that holds the CA, and Service that the leaf is for.
	Secret  string
	Service string
	// Webhook is the MutatingWebhookConfiguration whose caBundle is kept.
	Webhook string
	Log     *slog.Logger

	leaf atomic.Pointer[tls.Certificate]
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
func (s *Source) Ready() bool { return s.leaf.Load() != nil }

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
	if err := s.publish(ctx, bundle(secret.Data, now)); err != nil {
		return err
	}
	return s.sign(current, now)
}

// secret gives the CA's Secret, made or moved on if need be. Replicas that do so at
// the same time are told apart by the API server: one wins, the others read.
func (s *Source) secret(ctx context.Context) (*core.Secret, error) {
	secrets := s.Client.CoreV1().Secrets(s.Namespace)
	now := time.Now()
	secret, err := secrets.Get(ctx, s.Secret, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		first, err := newCA(now)
		if err != nil {
			return nil, err
		}
		secret, err = secrets.Create(ctx, &core.Secret{
			ObjectMeta: meta.ObjectMeta{Name: s.Secret, Namespace: s.Namespace},
			Data:       map[string][]byte{keyCert: first.certPEM, keyKey: first.keyPEM},
		}, meta.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return secrets.Get(ctx, s.Secret, meta.GetOptions{})
		}
		if err == nil {
			s.Log.Info("Made a CA", "secret", s.Secret, "notAfter", first.cert.NotAfter)
		}
		return secret, err
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	moved, err := moveOn(secret.Data, now)
	if err != nil || moved == "" {
		return secret, err
	}
	updated, err := secrets.Update(ctx, secret, meta.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return secrets.Get(ctx, s.Secret, meta.GetOptions{}) // another replica did it
	}
	if err == nil {
		s.Log.Info("CA rotation", "step", moved)
	}
	return updated, err
}

// moveOn takes the rotation one step further, in data; "": there is nothing to do.
func moveOn(data map[string][]byte, now time.Time) (string, error) {
	current, err := parsePair(data[keyCert], data[keyKey])
	if err != nil {
		return "", nil //nolint:nilerr // check tells what to do
	}
	next, nextErr := parsePair(data[keyNextCert], data[keyNextKey])
	switch {
	case nextErr == nil && now.After(next.cert.NotBefore.Add(backdate+overlap)):
		data[keyPrevious] = data[keyCert]
		data[keyCert], data[keyKey] = data[keyNextCert], data[keyNextKey]
		delete(data, keyNextCert)
		delete(data, keyNextKey)
		return "signing with the next CA", nil
	case nextErr != nil && now.After(current.cert.NotAfter.Add(-caLife/3)):
		fresh, err := newCA(now)
		if err != nil {
			return "", err
		}
		data[keyNextCert], data[keyNextKey] = fresh.certPEM, fresh.keyPEM
		return "published the next CA", nil
	}
	return "", nil
}

// sign gives this replica a leaf if it has none, half of its life has gone, or the
// CA is another.
func (s *Source) sign(ca pair, now time.Time) error {
	if leaf := s.leaf.Load(); leaf != nil &&
		now.Before(leaf.Leaf.NotBefore.Add(backdate+leafLife/2)) && leaf.Leaf.CheckSignatureFrom(ca.cert) == nil {
		return nil
	}
	leaf, err := ca.sign(now, s.Service+"."+s.Namespace+".svc", s.Service+"."+s.Namespace+".svc.cluster.local", s.Service+"."+s.Namespace)
	if err != nil {
		return fmt.Errorf("sign the serving certificate: %w", err)
	}
	s.leaf.Store(leaf)
	s.Log.Info("Signed a serving certificate", "notAfter", leaf.Leaf.NotAfter)
	return nil
}
