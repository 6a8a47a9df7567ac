package webhook

import (
	"errors"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// Store feeds the handlers, and reports when it knows everything once.
type Store interface {
	Synced() bool
}

// Ready is a healthz.Checker: its error is why this replica must not be sent reviews.
func Ready(server *Server, store Store, certificate Certificate) healthz.Checker {
	return func(r *http.Request) error {
		if err := server.StartedChecker()(r); err != nil {
			return err
		}
		if !store.Synced() {
			return errors.New("waiting for the first list of ServiceAccounts")
		}
		return certificate.Check(r)
	}
}
