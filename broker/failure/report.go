package failure

import (
	"sync"
	"time"
)

// reportEvery is how often the same trouble is told: an SDK that asks in a loop
// must not fill the node's disk with one line of log.
const reportEvery = time.Minute

// Bounds of what is remembered: so many troubles, and the beginning of each.
const (
	maxTroubles = 32
	maxTrouble  = 256
)

// Reporter tells which troubles are worth a line in the log: a new one, and the
// same one once a minute. Its zero value is ready; it is safe for concurrent use.
type Reporter struct {
	mu   sync.Mutex
	told map[string]time.Time
}

// New reports whether trouble was not told within the last minute.
func (r *Reporter) New(trouble string) bool {
	trouble = trouble[:min(len(trouble), maxTrouble)]
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if at, ok := r.told[trouble]; ok && now.Sub(at) < reportEvery {
		return false
	}
	for text, at := range r.told {
		if now.Sub(at) >= reportEvery {
			delete(r.told, text)
		}
	}
	if len(r.told) >= maxTroubles {
		return false // so many different ones within a minute are a flood too
	}
	if r.told == nil {
		r.told = map[string]time.Time{}
	}
	r.told[trouble] = now
	return true
}
