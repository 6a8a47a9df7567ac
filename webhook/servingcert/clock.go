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
	if s.clock.at.IsZero() || time.Since(s.clock.at) >= readEvery {
		review, err := s.Client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err != nil {
			return time.Time{}, fmt.Errorf("ask the API server for the time: %w", err)
		}
		if review.CreationTimestamp.IsZero() {
			return time.Time{}, errors.New("ask the API server for the time: its SelfSubjectReview has no creationTimestamp")
		}
		s.clock = reading{server: review.CreationTimestamp.Time, at: time.Now()}
	}
	return s.clock.server.Add(time.Since(s.clock.at)), nil
}
