package servingcert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// moveOn takes the rotation one step further, in secret; "": there is nothing to
// do. agreed reports whether every replica has the next CA.
func moveOn(secret *core.Secret, now time.Time, agreed func() (bool, error)) (step string, err error) {
	data := secret.Data
	current, err := parsePair(data[keyCert], data[keyKey])
	if err != nil {
		return "", nil //nolint:nilerr // check tells what to do
	}
	next, err := parsePair(data[keyNextCert], data[keyNextKey])
	if err != nil {
		return begin(secret, current, now)
	}
	if now.Before(next.cert.NotBefore.Add(backdate + overlap)) {
		return "", nil
	}
	if now.Before(current.cert.NotAfter.Add(-patience)) {
		if ok, err := agreed(); err != nil || !ok {
			return "", err
		}
	}
	data[keyPrevious] = data[keyCert]
	data[keyCert], data[keyKey] = data[keyNextCert], data[keyNextKey]
	delete(data, keyNextCert)
	delete(data, keyNextKey)
	delete(secret.Annotations, annotationPublished)
	meta.SetMetaDataAnnotation(&secret.ObjectMeta, annotationSince, now.UTC().Format(time.RFC3339))
	return "signing with the next CA", nil
}

// begin starts a rotation if it is time, or ends the last one.
func begin(secret *core.Secret, current pair, now time.Time) (string, error) {
	if now.After(current.cert.NotAfter.Add(-caLife / 3)) {
		fresh, err := newCA(now)
		if err != nil {
			return "", err
		}
		secret.Data[keyNextCert], secret.Data[keyNextKey] = fresh.certPEM, fresh.keyPEM
		return "published the next CA", nil
	}
	since, err := time.Parse(time.RFC3339, secret.Annotations[annotationSince])
	if err == nil && secret.Data[keyPrevious] != nil && now.After(since.Add(leafLife+checkEvery)) {
		// Not trusted for longer than it must be: the CA may have been replaced because
		// its key was seen.
		delete(secret.Data, keyPrevious)
		return "forgot the previous CA: all that it signed has ended", nil
	}
	return "", nil
}

// acknowledge says in the Secret that this replica has seen its next CA published.
func (s *Source) acknowledge(ctx context.Context, secret *core.Secret) error {
	if s.Replica == "" || secret.Data[keyNextCert] == nil || slices.Contains(published(secret), s.Replica) {
		return nil
	}
	meta.SetMetaDataAnnotation(&secret.ObjectMeta, annotationPublished, strings.Join(append(published(secret), s.Replica), ","))
	_, err := s.Client.CoreV1().Secrets(s.Namespace).Update(ctx, secret, meta.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return nil // the next check tries again
	}
	if err != nil {
		return fmt.Errorf("acknowledge the next CA in secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	return nil
}

func published(secret *core.Secret) []string {
	return strings.FieldsFunc(secret.Annotations[annotationPublished], func(r rune) bool { return r == ',' })
}

// agreed reports whether every replica behind the Service has acknowledged.
func (s *Source) agreed(ctx context.Context, secret *core.Secret) (bool, error) {
	if s.Replica == "" {
		return true, nil
	}
	list, err := s.Client.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, meta.ListOptions{LabelSelector: "kubernetes.io/service-name=" + s.Services[0]})
	if err != nil {
		return false, fmt.Errorf("list the replicas of service %s/%s: %w", s.Namespace, s.Services[0], err)
	}
	have := published(secret)
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			if e.TargetRef == nil || e.Conditions.Terminating != nil && *e.Conditions.Terminating {
				continue
			}
			if !slices.Contains(have, e.TargetRef.Name) {
				s.Log.Info("CA rotation waits for a replica", "replica", e.TargetRef.Name)
				return false, nil
			}
		}
	}
	return true, nil
}
