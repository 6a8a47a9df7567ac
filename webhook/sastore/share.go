package sastore

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

const (
	// maxLiveReads at one time. Each takes milliseconds, and at worst some MiB of memory.
	maxLiveReads = 8
	// maxOtherReads of them are for pods that have not opted in: the API server lets these
	// start without an answer, and rejects the others.
	maxOtherReads = 6
	// maxGroupReads of them are for one group, however slow the API server is.
	maxGroupReads = 2
	// groupReads a second, after the first groupBurst: no load on an API server, and
	// enough for a chart that brings dozens of ServiceAccounts with their pods.
	groupReads, groupBurst = 20, 40
	// maxShares are kept: more than a cluster has namespaces in use at one time.
	maxShares = 4096
)

// group is what shares live reads with itself alone, so that names which somebody invents
// take nothing from other namespaces, nor from the ServiceAccounts that are known.
type group struct {
	// namespace is empty for all that are not known.
	namespace      string
	known, optedIn bool
}

// share is what a group has of the live reads.
type share struct {
	tokens *rate.Limiter
	slots  chan struct{}
}

// shares bound the live reads. They are safe for concurrent use.
type shares struct {
	slots, others chan struct{}

	mu sync.Mutex
	of map[group]*share
}

func newShares() *shares {
	return &shares{slots: make(chan struct{}, maxLiveReads), others: make(chan struct{}, maxOtherReads), of: map[group]*share{}}
}

// acquire waits for the group's turn; release must be called when the read is over.
func (s *shares) acquire(ctx context.Context, g group) (release func(), err error) {
	share := s.share(g)
	if err := share.tokens.Wait(ctx); err != nil {
		return nil, fmt.Errorf("too many reads: more than %d a second in the namespace: %w", groupReads, err)
	}
	queues := []chan struct{}{share.slots, s.others, s.slots}
	if g.optedIn {
		queues = []chan struct{}{share.slots, s.slots}
	}
	leave := func(queues []chan struct{}) {
		for _, q := range queues {
			<-q
		}
	}
	for i, q := range queues {
		select {
		case q <- struct{}{}:
		case <-ctx.Done():
			leave(queues[:i])
			return nil, fmt.Errorf("too many reads: all others are still under way: %w", ctx.Err())
		}
	}
	return func() { leave(queues) }, nil
}

func (s *shares) share(g group) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	if share := s.of[g]; share != nil {
		return share
	}
	if len(s.of) >= maxShares {
		for other, share := range s.of {
			if len(share.slots) == 0 && share.tokens.Tokens() >= groupBurst {
				delete(s.of, other) // as good as new
			}
		}
	}
	share := &share{tokens: rate.NewLimiter(groupReads, groupBurst), slots: make(chan struct{}, maxGroupReads)}
	s.of[g] = share
	return share
}
