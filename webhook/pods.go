// Package webhook is the mutating admission webhook: it looks up what a pod's
// ServiceAccount asks for, and answers with the patch that gives it.
//
// Whose fault a failure is decides the answer. A mistake of the user's is denied,
// with the fix. A failure of podpass's own, or of the cluster's, is an HTTP error,
// so that the failurePolicy of the registration decides; it is never "allowed".
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// ServiceAccounts gives the annotations of ServiceAccounts: a sastore.Store.
type ServiceAccounts interface {
	Get(ctx context.Context, namespace, name string) (sastore.Record, error)
	GetLive(ctx context.Context, namespace, name string) (sastore.Record, error)
}

// PodHandler answers AdmissionReviews of pods. It is safe for concurrent use.
type PodHandler struct {
	ServiceAccounts ServiceAccounts
	Settings        inject.Settings
	Metrics         *Metrics
	Log             *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *PodHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	d := h.serve(w, r)
	h.Metrics.observe(d, time.Since(start))
}

// decision is an answer, and what is said of it in logs and metrics.
type decision struct {
	outcome  outcome
	result   inject.Result
	response *response
}

func (h *PodHandler) serve(w http.ResponseWriter, r *http.Request) decision {
	refuse := func(status int, err error) decision {
		http.Error(w, err.Error(), status)
		return decision{outcome: outcomeBadRequest}
	}
	body, status, err := readReview(w, r)
	if err != nil {
		return refuse(status, err)
	}
	req, err := decodeReview(body, "Pod")
	if err != nil {
		return refuse(http.StatusBadRequest, err)
	}
	pod, err := inject.Decode(req.Object)
	if err != nil {
		return refuse(http.StatusBadRequest, fmt.Errorf("%w: %w", errNotReview, err))
	}
	d, err := h.decide(r.Context(), req, pod)
	if err == nil {
		h.logDecision(req, pod, d)
		err = writeReview(w, d.response)
	}
	if err != nil {
		h.Log.Error("Review failed", "namespace", req.Namespace, "pod", pod.Name(), "serviceAccount", pod.ServiceAccount(), "error", err)
		http.Error(w, "podpass: "+err.Error(), http.StatusInternalServerError)
		return decision{outcome: outcomeFailed}
	}
	return d
}

func (h *PodHandler) decide(ctx context.Context, req *request, pod *inject.Pod) (decision, error) {
	d := decision{outcome: outcomeUnchanged, response: allow(req)}
	if req.Operation != "CREATE" {
		return d, nil
	}
	answer, err := h.resolve(ctx, req, pod)
	if err != nil {
		return d, err
	}
	d.result, err = inject.Plan(pod, answer, h.Settings)
	if err != nil {
		return d, fmt.Errorf("plan the injection: %w", err)
	}
	if len(d.result.Errors) > 0 {
		d.outcome, d.response = outcomeDenied, deny(req, d.result.Errors)
		d.response.Warnings = warnings(d.result.Warnings)
		return d, nil
	}
	if len(d.result.Warnings) > 0 {
		d.response.Warnings = warnings(d.result.Warnings)
		d.response.AuditAnnotations = map[string]string{"warned": codes(d.result.Warnings)}
	}
	if len(d.result.Patch) == 0 {
		return d, nil
	}
	d.outcome = outcomeInjected
	d.response.PatchType, d.response.Patch = "JSONPatch", d.result.Patch
	return d, nil
}

// resolve asks the store, and once more the API server for a pod that opted in and
// whose ServiceAccount has no identity in memory: it may just have been annotated.
func (h *PodHandler) resolve(ctx context.Context, req *request, pod *inject.Pod) (serviceaccount.Answer, error) {
	ask := pod.Request()
	ask.Namespace = req.Namespace // which a pod need not name
	answer, err := h.answer(ctx, ask, h.ServiceAccounts.Get)
	if err != nil || !answer.OptedIn || !answer.Empty() || len(answer.Errors) > 0 {
		return answer, err
	}
	return h.answer(ctx, ask, h.ServiceAccounts.GetLive)
}

type getter func(ctx context.Context, namespace, name string) (sastore.Record, error)

func (h *PodHandler) answer(ctx context.Context, ask serviceaccount.Request, get getter) (serviceaccount.Answer, error) {
	record, err := get(ctx, ask.Namespace, ask.Name)
	// The API server itself refuses a pod whose ServiceAccount does not exist.
	if err != nil && !errors.Is(err, sastore.ErrNotFound) {
		return serviceaccount.Answer{}, err
	}
	ask.Annotations, ask.Labels = record.Annotations, record.Labels
	return serviceaccount.Resolve(ask, h.Settings.Installation), nil
}

func (h *PodHandler) logDecision(req *request, pod *inject.Pod, d decision) {
	level := slog.LevelInfo
	if d.outcome == outcomeUnchanged && len(d.result.Warnings) == 0 {
		level = slog.LevelDebug // most pods of a cluster
	}
	attributes := []any{
		"namespace", req.Namespace, "pod", pod.Name(), "serviceAccount", pod.ServiceAccount(),
		"outcome", string(d.outcome), "reason", d.result.Reason, "dryRun", req.DryRun,
	}
	for _, i := range d.result.Injected {
		attributes = append(attributes, i.Cloud, string(i.Mode))
	}
	if len(d.result.Errors) > 0 {
		attributes = append(attributes, "errors", codes(d.result.Errors))
	}
	if len(d.result.Warnings) > 0 {
		attributes = append(attributes, "warnings", codes(d.result.Warnings))
	}
	h.Log.Log(context.Background(), level, "Reviewed pod", attributes...)
}
