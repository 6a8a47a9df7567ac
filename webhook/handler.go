// Package webhook is the mutating admission webhook: it looks up what a pod's
// ServiceAccount asks for, and answers with the patch that gives it.
//
// Whose fault a failure is decides the answer. A mistake of the user's is denied,
// with the fix. A failure of podpass's own, or of the cluster's, is an HTTP error,
// so that the failurePolicy of the registration decides; it is never "allowed".
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// maxBody bounds a review. The API server takes objects of 3 MiB; the review adds
// its own fields, and escapes.
const maxBody = 8 << 20

// ServiceAccounts gives the annotations of ServiceAccounts: a sastore.Store.
type ServiceAccounts interface {
	Get(ctx context.Context, namespace, name string) (sastore.Record, error)
	GetLive(ctx context.Context, namespace, name string) (sastore.Record, error)
}

// Handler answers AdmissionReviews of pods. It is safe for concurrent use.
type Handler struct {
	ServiceAccounts ServiceAccounts
	Settings        inject.Settings
	Metrics         *Metrics
	Log             *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	outcome := h.serve(w, r)
	h.Metrics.observe(outcome, time.Since(start))
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) outcome {
	if r.Method != http.MethodPost {
		http.Error(w, "only POST is allowed", http.StatusMethodNotAllowed)
		return outcomeBadRequest
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		http.Error(w, "the Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return outcomeBadRequest
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the review cannot be read, or is larger than 8 MiB", http.StatusRequestEntityTooLarge)
		return outcomeBadRequest
	}
	req, pod, err := decodeReview(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return outcomeBadRequest
	}
	d, err := h.decide(r.Context(), req, pod)
	if err != nil {
		h.Log.Error("Review failed", "namespace", req.Namespace, "pod", pod.name(), "serviceAccount", pod.serviceAccount(), "error", err)
		http.Error(w, "podpass: "+err.Error(), http.StatusInternalServerError)
		return outcomeFailed
	}
	h.logDecision(req, pod, d)
	answer, err := json.Marshal(review{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview", Response: d.response})
	if err != nil {
		http.Error(w, "podpass: encode the answer", http.StatusInternalServerError)
		return outcomeFailed
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // an error means that the API server has gone
	return d.outcome
}

// decision is an answer, and what is said of it in logs and metrics.
type decision struct {
	outcome  outcome
	result   inject.Result
	response *response
}

func (h *Handler) decide(ctx context.Context, req *request, pod *podHead) (decision, error) {
	d := decision{outcome: outcomeUnchanged, response: &response{UID: req.UID, Allowed: true}}
	if req.Operation != "CREATE" {
		return d, nil
	}
	answer, err := h.resolve(ctx, req, pod)
	if err != nil {
		return d, err
	}
	d.result, err = inject.Plan(req.Object, answer, h.Settings)
	if err != nil {
		return d, fmt.Errorf("plan the injection: %w", err)
	}
	d.response.Warnings = warnings(d.result.Warnings)
	if len(d.result.Errors) > 0 {
		d.outcome = outcomeDenied
		d.response.Allowed = false
		d.response.Result = &status{Code: http.StatusForbidden, Reason: "Forbidden", Message: denial(d.result.Errors)}
		d.response.AuditAnnotations = map[string]string{"denied": codes(d.result.Errors)}
		return d, nil
	}
	if len(d.result.Warnings) > 0 {
		d.response.AuditAnnotations = map[string]string{"warned": codes(d.result.Warnings)}
	}
	if len(d.result.Patch) == 0 {
		return d, nil
	}
	d.outcome = outcomeInjected
	d.response.PatchType = "JSONPatch"
	if d.response.Patch, err = json.Marshal(d.result.Patch); err != nil {
		return d, fmt.Errorf("encode the patch: %w", err)
	}
	return d, nil
}

// resolve asks the store, and once more the API server for a pod that opted in and
// whose ServiceAccount has no identity in memory: it may just have been annotated.
func (h *Handler) resolve(ctx context.Context, req *request, pod *podHead) (serviceaccount.Answer, error) {
	ask := serviceaccount.Request{
		Namespace: req.Namespace, Name: pod.serviceAccount(),
		PodAnnotations: pod.Metadata.Annotations, PodLabels: pod.Metadata.Labels, PodNodeSelector: pod.Spec.NodeSelector,
	}
	answer, err := h.answer(ctx, ask, h.ServiceAccounts.Get)
	if err != nil || !answer.OptedIn || !answer.Empty() || len(answer.Errors) > 0 {
		return answer, err
	}
	return h.answer(ctx, ask, h.ServiceAccounts.GetLive)
}

type getter func(ctx context.Context, namespace, name string) (sastore.Record, error)

func (h *Handler) answer(ctx context.Context, ask serviceaccount.Request, get getter) (serviceaccount.Answer, error) {
	record, err := get(ctx, ask.Namespace, ask.Name)
	// The API server itself refuses a pod whose ServiceAccount does not exist.
	if err != nil && !errors.Is(err, sastore.ErrNotFound) {
		return serviceaccount.Answer{}, err
	}
	ask.Annotations, ask.Labels = record.Annotations, record.Labels
	return serviceaccount.Resolve(ask, h.Settings.Installation), nil
}

func (h *Handler) logDecision(req *request, pod *podHead, d decision) {
	level := slog.LevelInfo
	if d.outcome == outcomeUnchanged && len(d.result.Warnings) == 0 {
		level = slog.LevelDebug // most pods of a cluster
	}
	attributes := []any{
		"namespace", req.Namespace, "pod", pod.name(), "serviceAccount", pod.serviceAccount(),
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

// maxWarning bounds a warning: the API server cuts a request's warnings at 4 KiB
// in all, and the fix stands last.
const maxWarning = 1000

func warnings(problems []serviceaccount.Problem) []string {
	var list []string
	for _, p := range problems {
		s := "podpass: " + p.String()
		if len(s) > maxWarning {
			s = s[:maxWarning] + "..."
		}
		list = append(list, s)
	}
	return list
}

func denial(problems []serviceaccount.Problem) string {
	var list []string
	for _, p := range problems {
		list = append(list, p.String())
	}
	return "podpass: " + strings.Join(list, "; ")
}

func codes(problems []serviceaccount.Problem) string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Code)
	}
	return strings.Join(list, ",")
}
