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
	// Pinned: it is the pod's identity itself, kept whether anybody asks or not.
	Pinned bool
	// Principal as the cloud calls who it is; empty before the first success.
	Principal string
	// Valid until then; the zero time if there is none.
	ValidUntil time.Time
	// NextExchange is when it is renewed, or tried again.
	NextExchange time.Time
	// Exchanging: one is under way.
	Exchanging bool
	// Err of the last exchange, nil after a success; Failures since the last success.
	Err      error
	Failures int
	// Refused: trying again does not mend Err.
	Refused bool
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
		s := State{Key: key, Cloud: n.cloud, Pinned: n.pinned, Err: n.err, Failures: n.failures, Refused: n.refused(), Exchanging: n.running != nil}
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
		return cmp.Compare(a.Key, b.Key)
	})
	return list
}

// Observer hears of what the cache does. It is called without locks, from several
// goroutines.
type Observer interface {
	// Asked: a request was answered from memory, or had to wait for an exchange.
	Asked(cloud string, fromMemory bool)
	// Exchanged: an exchange ended. renewal: what there was before is still valid.
	Exchanged(cloud string, err error, took time.Duration, renewal bool)
}

func (c *Cache) asked(n *entry, fromMemory bool) {
	if c.opts.Observer != nil {
		c.opts.Observer.Asked(n.cloud, fromMemory)
	}
}
