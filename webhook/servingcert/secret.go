package servingcert

import (
	"context"
	"errors"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/podpass-io/podpass/webhook/owned"
)

// Keys of the Secret. With next, a replacement is under way.
const (
	keyCert     = "ca.crt"
	keyKey      = "ca.key"
	keyNextCert = "next.crt"
	keyNextKey  = "next.key"
)

// authorities are the CAs of the Secret; one that cannot be read is the zero pair.
type authorities struct{ current, next pair }

func parseAuthorities(data map[string][]byte) authorities {
	var a authorities
	a.current, _ = parsePair(data[keyCert], data[keyKey])
	a.next, _ = parsePair(data[keyNextCert], data[keyNextKey])
	return a
}

func (a authorities) write(secret *corev1.Secret) {
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[keyCert], secret.Data[keyKey] = a.current.certPEM, a.current.keyPEM
	delete(secret.Data, keyNextCert)
	delete(secret.Data, keyNextKey)
	if a.next.cert != nil {
		secret.Data[keyNextCert], secret.Data[keyNextKey] = a.next.certPEM, a.next.keyPEM
	}
	delete(secret.Annotations, annotationPublished) // that was about another next CA
}

// secret gives the CA's Secret, made, mended or moved on if need be. Replicas that do
// so at the same time are told apart by the API server: one wins, the others get a
// conflict and look again.
//
// It belongs to the registration, and goes with it. Without one there is nowhere to
// publish a CA, so that none is made: a replica that outlives an uninstalled release for
// some seconds must not leave a Secret behind.
func (s *Source) secret(ctx context.Context, now time.Time) (*corev1.Secret, error) {
	registration := new(admissionregistrationv1.MutatingWebhookConfiguration)
	if err := s.Cache.Get(ctx, client.ObjectKey{Name: s.Webhook}, registration); err != nil {
		return nil, fmt.Errorf("read MutatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	secret := new(corev1.Secret)
	err := s.Cache.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Secret}, secret)
	if apierrors.IsNotFound(err) {
		absent := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Secret}}
		owned.Give(absent, owned.By(registration))
		return s.rescue(ctx, absent, now, errors.New("there is none"))
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	given := owned.Give(secret, owned.By(registration)) // written with whatever else is
	current, err := parsePair(secret.Data[keyCert], secret.Data[keyKey])
	if err == nil {
		_, err = current.sign(now, s.names()...)
	}
	if err != nil {
		return s.rescue(ctx, secret, now, err)
	}
	step, err := s.moveOn(ctx, secret, now)
	if err == nil && step == "" && given {
		step = "made the registration the Secret's owner"
	}
	if err != nil || step == "" {
		return secret, err
	}
	return s.write(ctx, secret, step)
}

// rescue gives a Secret that is absent, or of no use, a CA: the one that this replica
// has in memory and a next one, which is a rotation like others, or a first one. The
// latter is safe too if other replicas live: theirs stays in the bundle.
func (s *Source) rescue(ctx context.Context, secret *corev1.Secret, now time.Time, cause error) (*corev1.Secret, error) {
	fresh, err := newCA(now)
	if err != nil {
		return nil, err
	}
	a, step := authorities{current: fresh}, "made a CA"
	if last := s.last.current; last.cert != nil {
		if _, err := last.sign(now, s.names()...); err == nil {
			a, step = authorities{current: last, next: fresh}, "put back the CA in use, with a next one"
		}
	}
	a.write(secret)
	spoilt := secret.ResourceVersion != ""
	written, err := s.write(ctx, secret, step)
	if err != nil {
		return nil, fmt.Errorf("replace a CA that cannot be used (%w): %w", cause, err)
	}
	if spoilt {
		s.Log.Warn("The CA's Secret could not be used and was mended", "secret", s.Namespace+"/"+s.Secret, "cause", cause)
	}
	return written, nil
}

// write creates the Secret or updates the version that was read.
func (s *Source) write(ctx context.Context, secret *corev1.Secret, step string) (*corev1.Secret, error) {
	secrets := s.Client.CoreV1().Secrets(s.Namespace)
	var err error
	if secret.ResourceVersion == "" {
		secret, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	} else {
		secret, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("write secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	s.Log.Info("CA rotation", "step", step)
	return secret, nil
}
