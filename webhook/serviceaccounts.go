package webhook

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// ServiceAccountHandler answers AdmissionReviews of ServiceAccounts, so that
// whoever annotates one hears of a mistake, and not only the owner of the next
// pod. It is safe for concurrent use.
type ServiceAccountHandler struct {
	Installation serviceaccount.Installation
	// Deny refuses ServiceAccounts with which pods would be denied, instead of
	// warning.
	Deny    bool
	Metrics *Metrics
	Log     *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *ServiceAccountHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Metrics.accounts.WithLabelValues(string(h.serve(w, r))).Inc()
}

func (h *ServiceAccountHandler) serve(w http.ResponseWriter, r *http.Request) outcome {
	body, status, err := readReview(w, r)
	if err != nil {
		http.Error(w, err.Error(), status)
		return outcomeBadRequest
	}
	req, err := decodeReview(body, "ServiceAccount")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return outcomeBadRequest
	}
	outcome, answer, err := h.decide(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return outcomeBadRequest
	}
	if err := writeReview(w, answer); err != nil {
		http.Error(w, "podpass: "+err.Error(), http.StatusInternalServerError)
		return outcomeFailed
	}
	return outcome
}

// accountHead is what decides about a ServiceAccount.
type accountHead struct {
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
		Labels      map[string]string `json:"labels"`
	} `json:"metadata"`
}

func (h *ServiceAccountHandler) decide(req *request) (outcome, *response, error) {
	var account, old accountHead
	if err := json.Unmarshal(req.Object, &account); err != nil {
		return outcomeBadRequest, nil, fmt.Errorf("%w: the ServiceAccount cannot be read", errNotReview)
	}
	if len(req.OldObject) > 0 {
		if err := json.Unmarshal(req.OldObject, &old); err != nil {
			return outcomeBadRequest, nil, fmt.Errorf("%w: the old ServiceAccount cannot be read", errNotReview)
		}
	}
	answer := allow(req)
	// A controller that adds a finalizer must neither be told nor stopped.
	if req.Operation == "UPDATE" && maps.Equal(account.Metadata.Annotations, old.Metadata.Annotations) && maps.Equal(account.Metadata.Labels, old.Metadata.Labels) {
		return outcomeAccepted, answer, nil
	}
	a := serviceaccount.Resolve(serviceaccount.Request{
		Namespace: req.Namespace, Name: account.Metadata.Name,
		Annotations: account.Metadata.Annotations, Labels: account.Metadata.Labels,
	}, h.Installation)
	problems := slices.Concat(a.Errors, a.Warnings)
	outcome := outcomeAccepted
	switch {
	case len(a.Errors) > 0 && h.Deny:
		outcome, answer = outcomeDenied, deny(req, a.Errors)
		answer.Warnings = warnings(a.Warnings)
	case len(problems) > 0:
		outcome, answer.Warnings = outcomeWarned, append(willDeny(a.Errors), warnings(a.Warnings)...)
		answer.AuditAnnotations = map[string]string{"warned": codes(problems)}
	}
	if outcome != outcomeAccepted {
		h.Log.Info("Reviewed ServiceAccount", "namespace", req.Namespace, "serviceAccount", account.Metadata.Name,
			"outcome", string(outcome), "problems", codes(problems), "dryRun", req.DryRun)
	}
	return outcome, answer, nil
}

// willDeny says of errors that are let pass what will come of them.
func willDeny(errors []serviceaccount.Problem) []string {
	list := warnings(errors)
	for i := range list {
		list[i] = "pods that use this ServiceAccount will be denied: " + list[i]
	}
	return list
}
