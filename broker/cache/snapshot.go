package cache

import (
	"cmp"
	"slices"
	"time"
)

// State is what is known of one credential, and never the credential itself.
type State struct {
	// Key as the exchanger names it: cloud, and every input that changes the result.
	Key, Cloud string
	// Name among the pod's own, which one cloud may have several of.
	Name string
	// Pinned: it is the pod's identity itself, kept whether anybody asks or not.
	Pinned bool
	// Principal as the cloud calls who it is; empty before the first success.
	Principal string
	// Valid until then; the zero time if there is none.
	ValidUntil time.Time
	// NextExchange is when it is renewed, or tried again.
	NextExchange time.Time
	// Exchanging since then; the zero time if no exchange is under way.
	Exchanging time.Time
	// Err of the last exchange, nil after a success; Failures since the last success.
	Err      error
	Failures int
	// Refused: trying again does not mend Err. ProvesTrust: it came of a cloud that
	// trusts the subject token.
	Refused, ProvesTrust bool
}

// Valid reports whether requests are answered with a credential.
func (s State) Valid() bool { return !s.ValidUntil.IsZero() }

// Snapshot gives the state of every credential, the pinned ones first.
func (c *Cache) Snapshot() []State {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	list := make([]State, 0, len(c.entries))
	for key, n := range c.entries {
		s := State{Key: key, Cloud: n.cloud, Pinned: n.pinned, Name: n.name, Err: n.err, Failures: n.failures, Refused: n.refused(), ProvesTrust: n.provesTrust()}
		if n.running != nil {
			s.Exchanging = n.running.began
		}
		if n.valid(now) {
			s.Principal, s.ValidUntil, s.NextExchange = n.credential.Principal, n.credential.Expiry.Time(), n.renewAt
		}
		if n.err != nil {
			s.NextExchange = n.retryAt
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b State) int {
		if a.Pinned != b.Pinned {
			if a.Pinned {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// Awaited reports whether it is worth waiting for it: it is the pod's own and neither
// there, nor refused for a reason that waiting does not mend, nor tried for some time.
func (s State) Awaited() bool {
	return s.Pinned && !s.Valid() && !s.Refused && s.Failures < enoughTries
}
