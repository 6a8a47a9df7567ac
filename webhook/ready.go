package webhook

import (
	"errors"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// Store feeds the handlers, and reports when it knows everything once.
type Store interface {
	Synced() bool
}

// Ready is a healthz.Checker: its error is why this replica must not be sent reviews.
// now is the time by the clock of API servers, or the nearest there is to it: they judge
// the certificate, and a replica whose own clock is wrong serves them no worse.
func Ready(server *Server, store Store, certificate Certificate, now func() time.Time) healthz.Checker {
	return func(r *http.Request) error {
		if err := server.StartedChecker()(r); err != nil {
			return err
		}
		if !store.Synced() {
			return errors.New("waiting for the first list of ServiceAccounts")
		}
		return certificate.check(now())
	}
}
