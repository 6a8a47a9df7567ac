package trust

import (
	"maps"
	"sync"
)

// Uses counts the requests that were made with each static key, by the key's ID, and those
// with what a cloud gave for one: whether a key is still in use is told by it, as by the
// clouds' own "last used". It is safe for concurrent use; its zero value has counted none.
type Uses struct {
	mu     sync.Mutex
	counts map[string]int
}

// Add counts a request; id "" is of no static key.
func (u *Uses) Add(id string) {
	if id == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts = map[string]int{}
	}
	u.counts[id]++
}

// Counts are all that were counted.
func (u *Uses) Counts() map[string]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.counts)
}
