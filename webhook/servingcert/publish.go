package servingcert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// publish puts the bundle into each entry of the registrations that has another.
func (s *Source) publish(ctx context.Context, bundle []byte) error {
	api := s.Client.AdmissionregistrationV1()
	mutating, err := api.MutatingWebhookConfigurations().Get(ctx, s.Webhook, meta.GetOptions{})
	if err != nil {
		return fmt.Errorf("read MutatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	var have [][]byte
	for _, w := range mutating.Webhooks {
		have = append(have, w.ClientConfig.CABundle)
	}
	err = s.patch(bundle, have, mutating.ResourceVersion, "MutatingWebhookConfiguration", func(patch []byte) error {
		_, err := api.MutatingWebhookConfigurations().Patch(ctx, s.Webhook, types.JSONPatchType, patch, meta.PatchOptions{})
		return err
	})
	if err != nil {
		return err
	}

	validating, err := api.ValidatingWebhookConfigurations().Get(ctx, s.Webhook, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // switched off
	}
	if err != nil {
		return fmt.Errorf("read ValidatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	have = nil
	for _, w := range validating.Webhooks {
		have = append(have, w.ClientConfig.CABundle)
	}
	return s.patch(bundle, have, validating.ResourceVersion, "ValidatingWebhookConfiguration", func(patch []byte) error {
		_, err := api.ValidatingWebhookConfigurations().Patch(ctx, s.Webhook, types.JSONPatchType, patch, meta.PatchOptions{})
		return err
	})
}

// patch writes bundle wherever a registration has another. It tests the resource
// version: a chart's upgrade at the same moment is not overwritten, but tried again.
func (s *Source) patch(bundle []byte, have [][]byte, resourceVersion, kind string, send func([]byte) error) error {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	ops := []operation{{"test", "/metadata/resourceVersion", resourceVersion}}
	for i := range have {
		if !bytes.Equal(have[i], bundle) {
			ops = append(ops, operation{"add", "/webhooks/" + strconv.Itoa(i) + "/clientConfig/caBundle", bundle})
		}
	}
	if len(ops) == 1 {
		return nil
	}
	raw, err := json.Marshal(ops)
	if err != nil {
		return err
	}
	if err := send(raw); err != nil {
		return fmt.Errorf("publish the CA in %s %s: %w", kind, s.Webhook, err)
	}
	s.Log.Info("Published the CA", "kind", kind, "registration", s.Webhook)
	return nil
}
