package azureapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/federation"
)

// writeFailure answers 4xx JSON for what retrying does not mend: SDKs then show
// Entra's text at once. 5xx and 429 are retried for seconds.
func writeFailure(w http.ResponseWriter, err error) {
	code, correlation, kind := "", "", federation.KindOf(err)
	if e, ok := errors.AsType[*federation.Error](err); ok {
		code, correlation = e.Code, e.RequestID
	}
	if kind.Transient() {
		w.Header().Set("Retry-After", failure.RetryAfter(err))
	}
	if code == "" {
		code = string(kind)
	}
	status := http.StatusBadRequest
	switch kind {
	case federation.KindDenied:
		status = http.StatusForbidden
	case federation.KindThrottled:
		status = http.StatusTooManyRequests
	case federation.KindUnavailable, federation.KindCanceled:
		status = http.StatusServiceUnavailable
	default:
	}
	writeError(w, status, code, err.Error(), correlation)
}

// writeError has both shapes of error, the metadata service's and App Service's.
func writeError(w http.ResponseWriter, status int, code, text, correlation string) {
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	write(w, status, struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		StatusCode    int    `json:"statusCode"`
		Message       string `json:"message"`
		CorrelationID string `json:"correlationId"`
	}{code, text, status, text, correlation})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
