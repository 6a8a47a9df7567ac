package servingcert

import (
	"context"
	"errors"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readEvery is how long a reading of the API server's clock is used: two clocks drift
// apart by less than a second meanwhile, and a change need not wait for a request.
const readEvery = 10 * time.Minute

// reading is what the API server's clock said, and when it was read. What has gone
// since is counted monotonically, so that setting this machine's clock changes nothing.
type reading struct{ server, at time.Time }

// now is the time by the API server's clock. A SelfSubjectReview is answered with it,
// to the second; it is stored nowhere, and every ServiceAccount may make one.
func (s *Source) now(ctx context.Context) (time.Time, error) {
	clock := s.clock.Load()
	if clock == nil || time.Since(clock.at) >= readEvery {
		review, err := s.Client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err != nil {
			return time.Time{}, fmt.Errorf("ask the API server for the time: %w", err)
		}
		if review.CreationTimestamp.IsZero() {
			return time.Time{}, errors.New("ask the API server for the time: its SelfSubjectReview has no creationTimestamp")
		}
		clock = &reading{server: review.CreationTimestamp.Time, at: time.Now()}
		s.clock.Store(clock)
	}
	return clock.now(), nil
}

func (r *reading) now() time.Time { return r.server.Add(time.Since(r.at)) }

// Now is the time by the API server's clock as it was last read; by this replica's
// before that, when there is no certificate either. It is safe for concurrent use.
func (s *Source) Now() time.Time {
	if clock := s.clock.Load(); clock != nil {
		return clock.now()
	}
	return time.Now()
}
