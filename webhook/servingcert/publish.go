package servingcert

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// registration is what both kinds have in common.
type registration struct {
	client.Object
	kind    string
	bundles [][]byte // by entry
	patch   func(context.Context, []byte) error
}

// registrations are those that there are. The validating one can be switched off.
func (s *Source) registrations(ctx context.Context) ([]registration, error) {
	api := s.Client.AdmissionregistrationV1()
	key := client.ObjectKey{Name: s.Webhook}

	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := s.Cache.Get(ctx, key, mutating); err != nil {
		return nil, fmt.Errorf("read MutatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	list := []registration{{Object: mutating, kind: "MutatingWebhookConfiguration", patch: func(ctx context.Context, patch []byte) error {
		_, err := api.MutatingWebhookConfigurations().Patch(ctx, s.Webhook, types.JSONPatchType, patch, metav1.PatchOptions{})
		return err
	}}}
	for _, w := range mutating.Webhooks {
		list[0].bundles = append(list[0].bundles, w.ClientConfig.CABundle)
	}

	validating := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	err := s.Cache.Get(ctx, key, validating)
	if apierrors.IsNotFound(err) {
		return list, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ValidatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	list = append(list, registration{Object: validating, kind: "ValidatingWebhookConfiguration", patch: func(ctx context.Context, patch []byte) error {
		_, err := api.ValidatingWebhookConfigurations().Patch(ctx, s.Webhook, types.JSONPatchType, patch, metav1.PatchOptions{})
		return err
	}})
	for _, w := range validating.Webhooks {
		list[1].bundles = append(list[1].bundles, w.ClientConfig.CABundle)
	}
	return list, nil
}

// publish puts what must be trusted into each entry of the registrations.
func (s *Source) publish(ctx context.Context, now time.Time) error {
	list, err := s.registrations(ctx)
	if err != nil {
		return err
	}
	secret := []*x509.Certificate{s.last.current.cert}
	if s.last.next.cert != nil {
		secret = append(secret, s.last.next.cert)
	}
	for _, r := range list {
		bundle, retired := union(secret, s.signer, bytes.Join(r.bundles, []byte("\n")), r.GetAnnotations()[annotationRetired], now)
		if e := s.update(ctx, r, bundle, retired); e != nil {
			err = errors.Join(err, fmt.Errorf("publish the CA in %s %s: %w", r.kind, s.Webhook, e))
		}
	}
	if err != nil {
		return err
	}
	published := map[string]time.Time{}
	for _, c := range secret {
		since, ok := s.published[fingerprint(c)]
		if !ok || !everywhere(list, c) {
			since = time.Now()
		}
		published[fingerprint(c)] = since
	}
	s.published = published
	return nil
}

// update writes what differs from what a registration has. It names the version that
// was read: a chart's upgrade at the same moment is not overwritten, but looked at.
func (s *Source) update(ctx context.Context, r registration, bundle []byte, retired string) error {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	ops := []operation{{"replace", "/metadata/resourceVersion", r.GetResourceVersion()}}
	for i, have := range r.bundles {
		if !bytes.Equal(have, bundle) {
			ops = append(ops, operation{"add", "/webhooks/" + strconv.Itoa(i) + "/clientConfig/caBundle", bundle})
		}
	}
	if r.GetAnnotations()[annotationRetired] != retired {
		const path = "/metadata/annotations/podpass.io~1retired-cas"
		switch {
		case retired == "":
			ops = append(ops, operation{Op: "remove", Path: path})
		case len(r.GetAnnotations()) == 0:
			ops = append(ops, operation{"add", "/metadata/annotations", map[string]string{annotationRetired: retired}})
		default:
			ops = append(ops, operation{"add", path, retired})
		}
	}
	if len(ops) == 1 {
		return nil
	}
	patch, err := json.Marshal(ops)
	if err != nil {
		return err
	}
	if err := r.patch(ctx, patch); err != nil {
		return err
	}
	s.Log.Info("Published the CA", "kind", r.kind, "registration", s.Webhook)
	return nil
}

// everywhere reports whether each entry of the registrations, as they were read, has c.
func everywhere(list []registration, c *x509.Certificate) bool {
	for _, r := range list {
		for _, bundle := range r.bundles {
			if !bytes.Contains(bundle, encode(c)) {
				return false
			}
		}
	}
	return true
}

// settled reports whether a CA of the Secret has been published for overlap, so that
// every API server trusts what it signs.
func (s *Source) settled(c *x509.Certificate) bool {
	since, ok := s.published[fingerprint(c)]
	return ok && time.Since(since) >= overlap
}
