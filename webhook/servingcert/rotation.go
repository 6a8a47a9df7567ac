package servingcert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotationPublished, of the Secret, names the replicas that have seen the next CA
// published, separated by commas.
const annotationPublished = "podpass.io/next-published-by"

// moveOn takes the rotation one step further, in secret; "": there is nothing to do.
func (s *Source) moveOn(ctx context.Context, secret *corev1.Secret, now time.Time) (step string, err error) {
	a := parseAuthorities(secret.Data)
	under := secret.Data[keyNextCert] != nil || secret.Data[keyNextKey] != nil
	if !under && now.Before(a.current.cert.NotAfter.Add(-caLife/3)) {
		return "", nil
	}
	usable := a.next.cert != nil
	if usable {
		_, err := a.next.sign(now, s.names()...)
		usable = err == nil
	}
	if !usable { // none yet, or one that was spoilt
		if a.next, err = newCA(now); err != nil {
			return "", err
		}
		a.write(secret)
		return "published the next CA", nil
	}
	if !s.settled(a.next.cert) {
		return "", nil
	}
	if now.Before(a.current.cert.NotAfter.Add(-patience)) {
		if ok, err := s.agreed(ctx, secret); err != nil || !ok {
			return "", err
		}
	}
	authorities{current: a.next}.write(secret)
	return "signing with the next CA", nil
}

// acknowledge says in the Secret that this replica has seen its next CA published.
func (s *Source) acknowledge(ctx context.Context, secret *corev1.Secret) error {
	if s.Replica == "" || secret.Data[keyNextCert] == nil || slices.Contains(acknowledged(secret), s.Replica) {
		return nil
	}
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, annotationPublished, strings.Join(append(acknowledged(secret), s.Replica), ","))
	if _, err := s.Client.CoreV1().Secrets(s.Namespace).Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("acknowledge the next CA in secret %s/%s: %w", s.Namespace, s.Secret, err)
	}
	return nil
}

func acknowledged(secret *corev1.Secret) []string {
	return strings.FieldsFunc(secret.Annotations[annotationPublished], func(r rune) bool { return r == ',' })
}

// agreed reports whether every replica behind the Service has acknowledged.
func (s *Source) agreed(ctx context.Context, secret *corev1.Secret) (bool, error) {
	if s.Replica == "" {
		return true, nil
	}
	list, err := s.Client.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + s.Services[0]})
	if err != nil {
		return false, fmt.Errorf("list the replicas of service %s/%s: %w", s.Namespace, s.Services[0], err)
	}
	have := acknowledged(secret)
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
