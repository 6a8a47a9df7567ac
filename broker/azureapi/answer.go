package azureapi

import (
	"errors"
	"net/http"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/federation"
)

func writeFailure(w http.ResponseWriter, err error) {
	correlation := ""
	if e, ok := errors.AsType[*federation.Error](err); ok {
		correlation = e.RequestID
	}
	status, code := failure.JSON.Answer(w, err)
	writeError(w, status, code, err.Error(), correlation)
}

// writeError has both shapes of error, the metadata service's and App Service's.
func writeError(w http.ResponseWriter, status int, code, text, correlation string) {
	answer.JSON(w, status, struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		StatusCode    int    `json:"statusCode"`
		Message       string `json:"message"`
		CorrelationID string `json:"correlationId"`
	}{code, text, status, text, correlation})
}
