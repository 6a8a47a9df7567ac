package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/compute/metadata"
)

// subscribeCheck watches the access token by the metadata server's wait_for_change until
// it is another one, and counts how often it was given one. A server that does not hold
// such requests is asked thousands of times a second.
type subscribeCheck struct{}

func (c *subscribeCheck) describe() (sdk, source string) {
	return module("compute/metadata", "cloud.google.com/go/compute/metadata"), firstEnv("GCE_METADATA_HOST")
}

// errSeen ends a subscription.
var errSeen = errors.New("seen")

func (c *subscribeCheck) run(ctx context.Context, r *result) error {
	var first string
	calls := 0
	err := metadata.SubscribeWithContext(ctx, "instance/service-accounts/default/token", func(_ context.Context, value string, ok bool) error {
		calls++
		var token struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		// The error is not shown: it may quote the token.
		if !ok || json.Unmarshal([]byte(value), &token) != nil || token.AccessToken == "" {
			return fmt.Errorf("call %d gives no token", calls)
		}
		r.setExpiry(time.Now().Add(time.Duration(token.ExpiresIn) * time.Second))
		if first == "" {
			first = token.AccessToken
		}
		if token.AccessToken != first {
			return errSeen
		}
		return nil
	})
	r.Identity = fmt.Sprintf("%d calls", calls)
	if errors.Is(err, errSeen) {
		return nil
	}
	return fmt.Errorf("after %d calls no other token: %w", calls, err)
}
