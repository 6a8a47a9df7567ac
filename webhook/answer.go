package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// largeAnswer has the time of largeBody to be taken, while it keeps its room.
const largeAnswer = 128 << 10

func writeReview(w http.ResponseWriter, r *admissionv1.AdmissionResponse) error {
	answer, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Response: r,
	})
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	if len(answer) > largeAnswer {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTime)) // a server without has its own
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // an error means that the API server has gone
	return nil
}

// allow and deny are the two answers.
func allow(req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{UID: req.UID, Allowed: true}
}

func deny(req *admissionv1.AdmissionRequest, problems []serviceaccount.Problem) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{
		UID:              req.UID,
		Result:           &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: denial(problems)},
		AuditAnnotations: map[string]string{"denied": codes(problems)},
	}
}
