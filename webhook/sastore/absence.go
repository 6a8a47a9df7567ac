package sastore

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// absenceLife is how long an absence is remembered. A ServiceAccount that is created
	// meanwhile comes by the watch, which is asked first.
	absenceLife = 3 * time.Second
	// maxAbsences are remembered at one time: some hundred KiB.
	maxAbsences = 2048
)

// absences are the ServiceAccounts that did not exist a moment ago. The zero value is
// empty. It is safe for concurrent use.
type absences struct {
	mu    sync.Mutex
	until map[types.NamespacedName]time.Time
}

func (a *absences) has(name types.NamespacedName) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.until[name])
}

func (a *absences) add(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if len(a.until) >= maxAbsences {
		for n, until := range a.until {
			if !now.Before(until) {
				delete(a.until, n)
			}
		}
	}
	if len(a.until) >= maxAbsences {
		return // it is asked for again
	}
	if a.until == nil {
		a.until = map[types.NamespacedName]time.Time{}
	}
	a.until[name] = now.Add(absenceLife)
}
