package webhook

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// ServiceAccountHandler answers AdmissionReviews of ServiceAccounts, so that
// whoever annotates one hears of a mistake, and not only the owner of the next
// pod. It is safe for concurrent use.
type ServiceAccountHandler struct {
	Settings inject.Source
	// Deny refuses ServiceAccounts with which pods would be denied, instead of
	// warning.
	Deny bool
	// Room is shared by all handlers of the process.
	Room    *Room
	Metrics *Metrics
	Log     *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *ServiceAccountHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var decided outcome
	v := reviewer{kind: "ServiceAccount", room: h.Room, metrics: h.Metrics, log: h.Log}
	failed := v.serve(w, r, func(_ context.Context, req *admissionv1.AdmissionRequest) (answer *admissionv1.AdmissionResponse, err error) {
		decided, answer, err = h.decide(req)
		return answer, err
	})
	h.Metrics.accounts.WithLabelValues(string(cmp.Or(failed, decided))).Inc()
}

// accountHead is what decides about a ServiceAccount.
type accountHead struct {
	name                string
	annotations, labels map[string]string
}

// readAccount reads a ServiceAccount, or null: none.
func readAccount(raw []byte) (accountHead, error) {
	var a accountHead
	if len(raw) == 0 {
		return a, nil
	}
	r := rawjson.NewReader(raw)
	for name := range r.Members {
		if string(name) != "metadata" {
			continue
		}
		for name := range r.Members {
			switch string(name) {
			case "name":
				r.Text(&a.name)
			case "annotations":
				r.Map(&a.annotations)
			case "labels":
				r.Map(&a.labels)
			}
		}
	}
	a.name = federation.Clip(a.name, maxName)
	if err := r.End(); err != nil {
		return a, fmt.Errorf("%w: the ServiceAccount cannot be read", errNotReview)
	}
	return a, nil
}

func (h *ServiceAccountHandler) decide(req *admissionv1.AdmissionRequest) (outcome, *admissionv1.AdmissionResponse, error) {
	account, err := readAccount(req.Object.Raw)
	if err != nil {
		return "", nil, err
	}
	old, err := readAccount(req.OldObject.Raw)
	if err != nil {
		return "", nil, err
	}
	answer := allow(req)
	// A controller that adds a finalizer must neither be told nor stopped. A new one
	// that carries nothing is none's mistake either.
	if maps.Equal(account.annotations, old.annotations) && maps.Equal(account.labels, old.labels) {
		return outcomeAccepted, answer, nil
	}
	a := serviceaccount.Resolve(serviceaccount.Request{
		Namespace: req.Namespace, Name: account.name,
		Annotations: account.annotations, Labels: account.labels, AnyPod: true,
	}, h.Settings().Installation)
	problems := slices.Concat(a.Errors, a.Warnings)
	outcome := outcomeAccepted
	switch {
	case len(a.Errors) > 0 && h.Deny:
		outcome, answer = outcomeDenied, deny(req, a.Errors)
		answer.Warnings = warnings("", a.Warnings)
	case len(problems) > 0:
		outcome = outcomeWarned
		answer.Warnings = append(warnings("pods that use this ServiceAccount will be denied: ", a.Errors), warnings("", a.Warnings)...)
		answer.AuditAnnotations = map[string]string{"warned": codes(problems)}
	}
	if outcome != outcomeAccepted {
		h.Log.Info("Reviewed ServiceAccount", "namespace", req.Namespace, "serviceAccount", account.name,
			"outcome", string(outcome), "problems", codes(problems), "dryRun", *req.DryRun)
	}
	return outcome, answer, nil
}
