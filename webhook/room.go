package webhook

import (
	"bytes"
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/sync/semaphore"
)

// Room is the memory that reviews may take at one time. Whoever can create a pod
// decides how large a review is, and whoever reaches the port how many there are, so
// both count: bodies before they are read, and what planning makes of a pod, which can
// be a hundred times its size, before it is planned. A review that finds no room for
// roomWait is answered 503, and failurePolicy decides.
type Room struct {
	bodies, plans share
}

// share is one purpose's part of the room, in four parts of its own: small reviews
// never wait behind huge ones, nor pods that opted in, which are refused where a
// review fails, behind those that did not.
type share [2][2]*semaphore.Weighted // by opted in, and by large

const (
	// maxBody bounds a review. The API server takes a request of 3 MiB and etcd one of
	// 1.5 MiB, in protobuf; a pod of that size is up to 3 MiB of JSON, and the review adds
	// its own fields and escapes.
	maxBody = 4 << 20
	// overhead of a review whose body is small: its goroutine, stream and answer.
	overhead = 16 << 10
	// perObject bounds what planning makes of one object of a pod: the answer has about
	// 3 KiB for a container with three clouds, as a patch and as base64.
	perObject = 12 << 10
	// maxPlan bounds what planning can take at all: 8 MiB for as many elements as
	// inject reads, and a patch of 1.5 MiB with its encodings.
	maxPlan = 16 << 20
	// From these sizes on a review is large: pods written by people are some KiB.
	largeBody = 128 << 10
	largePlan = 2 << 20

	// roomWait is well below what the API server waits for an answer.
	roomWait = time.Second
	// defaultMemory is the chart's limit, for a process that knows none.
	defaultMemory = 128 << 20
)

// NewRoom takes the process's soft memory limit (GOMEMLIMIT, [debug.SetMemoryLimit]),
// in bytes. An eighth of it is for bodies and three for plans; the rest is for the
// ServiceAccounts and the runtime. Below 128 MiB the shares stay at what one review of
// the largest kind needs.
func NewRoom(limit int64) *Room {
	if limit <= 0 || limit == math.MaxInt64 {
		limit = defaultMemory
	}
	return &Room{
		bodies: newShare(max(limit/32, 2<<20), max(limit/32, maxBody+overhead)),
		plans:  newShare(max(limit/16, 8<<20), max(limit/8, maxPlan)),
	}
}

func newShare(small, large int64) share {
	return share{
		{semaphore.NewWeighted(small), semaphore.NewWeighted(large)},
		{semaphore.NewWeighted(small), semaphore.NewWeighted(large)},
	}
}

var errNoRoom = errors.New("too many reviews, or too large ones, are under way")

// body waits for the room of a body; length is its Content-Length, or -1.
func (r *Room) body(ctx context.Context, optedIn bool, length int64) (release func(), err error) {
	if length < 0 {
		length = maxBody // API servers say it
	}
	return r.bodies.take(ctx, optedIn, length > largeBody, length+overhead)
}

// plan waits for the room of planning a pod.
func (r *Room) plan(ctx context.Context, optedIn bool, pod []byte) (release func(), err error) {
	n := min(int64(bytes.Count(pod, []byte("{")))*perObject, maxPlan)
	return r.plans.take(ctx, optedIn, n > largePlan, n)
}

func (s *share) take(ctx context.Context, optedIn, large bool, n int64) (func(), error) {
	part := s[index(optedIn)][index(large)]
	release := func() { part.Release(n) }
	if part.TryAcquire(n) {
		return release, nil
	}
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if part.Acquire(ctx, n) != nil {
		return nil, errNoRoom
	}
	return release, nil
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}
