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
	"reflect"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// ServiceAccounts gives the annotations of ServiceAccounts: a sastore.Store.
type ServiceAccounts interface {
	Get(ctx context.Context, namespace, name string) (sastore.Record, error)
	GetLive(ctx context.Context, namespace, name string) (sastore.Record, error)
}

// Cluster gives what else of the cluster bears on the pods of a namespace, from memory.
type Cluster interface {
	Around(namespace string) inject.Around
}

// PodHandler answers AdmissionReviews of pods. It is safe for concurrent use.
type PodHandler struct {
	ServiceAccounts ServiceAccounts
	// Cluster may be nil: nothing is known of it.
	Cluster  Cluster
	Settings inject.Source
	// Room is shared by all handlers of the process.
	Room    *Room
	Metrics *Metrics
	Log     *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *PodHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	d := decision{release: func() {}}
	defer func() { d.release() }() // the answer is written by then
	v := reviewer{kind: "Pod", room: h.Room, metrics: h.Metrics, log: h.Log, warn: h.Settings().UserErrors == inject.UserErrorsWarn}
	failed := v.serve(w, r, func(ctx context.Context, req *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
		err := h.decide(ctx, req, &d)
		return d.response, err
	})
	if failed != "" {
		d = decision{outcome: failed, release: d.release}
	}
	h.Metrics.observe(d, time.Since(start))
}

// decision is an answer, and what is said of it in logs and metrics.
type decision struct {
	outcome  outcome
	result   inject.Result
	response *admissionv1.AdmissionResponse
	// release gives back the room that the plan and the answer take.
	release func()
}

func (h *PodHandler) decide(ctx context.Context, req *admissionv1.AdmissionRequest, d *decision) error {
	d.outcome, d.response = outcomeUnchanged, allow(req)
	pod, err := inject.Decode(req.Object.Raw)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReview, err)
	}
	if req.Operation != admissionv1.Create {
		return nil
	}
	settings := h.Settings() // one state of them for the whole review
	answer, err := h.resolve(ctx, req, pod, settings.Installation)
	if err != nil {
		return fmt.Errorf("pod %s: %w", pod.Name(), err)
	}
	if !answer.Empty() {
		release, err := h.Room.plan(ctx, answer.OptedIn, req.Object.Raw)
		if err != nil {
			return err
		}
		d.release = release
	}
	if h.Cluster != nil {
		pod.Around = h.Cluster.Around(req.Namespace)
	}
	if d.result, err = plan(pod, answer, settings); err != nil {
		return err
	}
	if len(d.result.Errors) > 0 && len(answer.Errors) == 0 {
		// They came with the plan: of what is in memory alone, perhaps. That counts where the
		// API server cannot be asked: an error would let the pod start.
		live, err := h.live(ctx, req, pod, settings.Installation)
		if err == nil && !reflect.DeepEqual(live, answer) {
			if d.result, err = plan(pod, live, settings); err != nil {
				return err
			}
		}
	}
	d.respond(req)
	h.logDecision(req, pod, *d)
	return nil
}

func plan(pod *inject.Pod, answer serviceaccount.Answer, settings inject.Settings) (inject.Result, error) {
	result, err := inject.Plan(pod, answer, settings)
	switch {
	case errors.Is(err, inject.ErrPod):
		err = fmt.Errorf("%w: %w", errNotReview, err)
	case err != nil:
		err = fmt.Errorf("plan the injection of pod %s: %w", pod.Name(), err)
	}
	return result, err
}

// respond makes the answer of what was planned.
func (d *decision) respond(req *admissionv1.AdmissionRequest) {
	switch {
	case len(d.result.Errors) > 0 && req.Namespace == metav1.NamespaceSystem:
		// Where the administrator includes it, the cluster's own pods start whatever is
		// wrong with their ServiceAccounts.
		d.response.AuditAnnotations = map[string]string{"warned": codes(slices.Concat(d.result.Errors, d.result.Warnings))}
		d.response.Warnings = append(warnings("the pod starts without its identity: ", d.result.Errors), warnings("", d.result.Warnings)...)
		return
	case len(d.result.Errors) > 0:
		d.outcome, d.response = outcomeDenied, deny(req, d.result.Errors)
	case len(d.result.Warnings) > 0:
		d.response.AuditAnnotations = map[string]string{"warned": codes(d.result.Warnings)}
	}
	d.response.Warnings = warnings("", d.result.Warnings)
	if len(d.result.Patch) > 0 {
		jsonPatch := admissionv1.PatchTypeJSONPatch
		if len(d.result.Injected) > 0 {
			d.outcome = outcomeInjected
		}
		d.response.PatchType, d.response.Patch = &jsonPatch, d.result.Patch
	}
}

// resolve asks the store, and once more the API server before it lets a pod that opted
// in go without an identity, or denies one: what is in memory may be older than the
// annotation, or its correction, of a second ago.
func (h *PodHandler) resolve(ctx context.Context, req *admissionv1.AdmissionRequest, pod *inject.Pod, in serviceaccount.Installation) (serviceaccount.Answer, error) {
	answer, err := h.answer(ctx, req, pod, in, h.ServiceAccounts.Get)
	missing := answer.OptedIn && answer.Empty()
	if err != nil || !missing && len(answer.Errors) == 0 {
		return answer, err
	}
	return h.live(ctx, req, pod, in)
}

func (h *PodHandler) live(ctx context.Context, req *admissionv1.AdmissionRequest, pod *inject.Pod, in serviceaccount.Installation) (serviceaccount.Answer, error) {
	return h.answer(ctx, req, pod, in, h.ServiceAccounts.GetLive)
}

type getter func(ctx context.Context, namespace, name string) (sastore.Record, error)

func (h *PodHandler) answer(ctx context.Context, req *admissionv1.AdmissionRequest, pod *inject.Pod, in serviceaccount.Installation, get getter) (serviceaccount.Answer, error) {
	ask := pod.Request()
	ask.Namespace = req.Namespace // which a pod need not name
	if ask.OptedIn() {
		ctx = sastore.OptedIn(ctx)
	}
	record, err := get(ctx, ask.Namespace, ask.Name)
	// The API server itself refuses a pod whose ServiceAccount does not exist.
	if err != nil && !errors.Is(err, sastore.ErrNotFound) {
		return serviceaccount.Answer{}, err
	}
	ask.Annotations, ask.Labels = record.Annotations, record.Labels
	return serviceaccount.Resolve(ask, in), nil
}

func (h *PodHandler) logDecision(req *admissionv1.AdmissionRequest, pod *inject.Pod, d decision) {
	level := slog.LevelInfo
	if d.outcome == outcomeUnchanged && len(d.result.Warnings) == 0 {
		level = slog.LevelDebug // most pods of a cluster
	}
	attributes := []any{
		"namespace", req.Namespace, "pod", pod.Name(), "serviceAccount", pod.ServiceAccount(),
		"outcome", string(d.outcome), "reason", d.result.Reason, "dryRun", *req.DryRun,
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
