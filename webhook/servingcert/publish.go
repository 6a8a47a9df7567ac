package servingcert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// publish puts the bundle into each entry of the registration that has another.
// The patch tests the resource version: a chart's upgrade at the same moment is
// not overwritten, but tried again.
func (s *Source) publish(ctx context.Context, bundle []byte) error {
	configurations := s.Client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	c, err := configurations.Get(ctx, s.Webhook, meta.GetOptions{})
	if err != nil {
		return fmt.Errorf("read MutatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	patch := []operation{{"test", "/metadata/resourceVersion", c.ResourceVersion}}
	for i, w := range c.Webhooks {
		if !bytes.Equal(w.ClientConfig.CABundle, bundle) {
			patch = append(patch, operation{"add", "/webhooks/" + strconv.Itoa(i) + "/clientConfig/caBundle", bundle})
		}
	}
	if len(patch) == 1 {
		return nil
	}
	raw, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if _, err := configurations.Patch(ctx, s.Webhook, types.JSONPatchType, raw, meta.PatchOptions{}); err != nil {
		return fmt.Errorf("publish the CA in MutatingWebhookConfiguration %s: %w", s.Webhook, err)
	}
	s.Log.Info("Published the CA", "registration", s.Webhook)
	return nil
}
