package cache

import (
	"context"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// exchange runs n's. A credential that has ended before it came is a failure, with
// the cause that it nearly always has: served, it would be an empty one.
func exchange(ctx context.Context, n *entry) (federation.Credential, error) {
	c, err := n.exchanger.Exchange(ctx)
	if err != nil || !c.Expiry.Expired(time.Now()) {
		return c, err
	}
	return federation.Credential{}, &federation.Error{
		Kind: federation.KindTokenExpired, Cloud: n.cloud,
		Message: "the cloud gave a credential that ended at " + federation.Timestamp(c.Expiry.Time()),
		Hint:    "the node's clock, " + federation.Timestamp(time.Now()) + ", is ahead: set it right",
	}
}
