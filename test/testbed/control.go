package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Trust is what the clouds trust from their start on.
func (b *Bed) Trust() trust.Config { return trustOf(b.Issuer, b.CAFile) }

// SetTrust changes what the three clouds trust.
func (b *Bed) SetTrust(ctx context.Context, config trust.Config) error {
	body, err := json.Marshal(config)
	if err != nil {
		return err
	}
	_, err = b.admin(ctx, http.MethodPut, "/trust", body)
	return err
}

// KeyUses is how often each static key was used at the clouds, by its ID.
func (b *Bed) KeyUses(ctx context.Context) (map[string]int, error) {
	raw, err := b.admin(ctx, http.MethodGet, "/uses", nil)
	if err != nil {
		return nil, err
	}
	var uses map[string]int
	return uses, json.Unmarshal(raw, &uses)
}

// admin asks the control of the clouds.
func (b *Bed) admin(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.Clouds.Admin+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("the clouds: %s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}
