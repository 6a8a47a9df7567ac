package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// The parts of an AdmissionReview v1 that are read and written. The pod stays raw
// JSON: decoding it into a type of this binary's time would lose the fields of a
// newer API server.
type review struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Request    *request  `json:"request,omitempty"`
	Response   *response `json:"response,omitempty"`
}

type request struct {
	UID       string          `json:"uid"`
	Kind      groupKind       `json:"kind"`
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	Operation string          `json:"operation"`
	DryRun    bool            `json:"dryRun"`
	Object    json.RawMessage `json:"object"`
	OldObject json.RawMessage `json:"oldObject"`
}

type groupKind struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
}

type response struct {
	UID              string            `json:"uid"`
	Allowed          bool              `json:"allowed"`
	Result           *status           `json:"status,omitempty"`
	Patch            []byte            `json:"patch,omitempty"` // base64 in JSON
	PatchType        string            `json:"patchType,omitempty"`
	Warnings         []string          `json:"warnings,omitempty"`
	AuditAnnotations map[string]string `json:"auditAnnotations,omitempty"`
}

type status struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// errNotReview: the body is not a review that this webhook can answer.
var errNotReview = errors.New("not an AdmissionReview of admission.k8s.io/v1 with the object expected here")

// decodeReview takes an AdmissionReview of objects of one kind apart.
func decodeReview(body []byte, kind string) (*request, error) {
	var in review
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: not JSON", errNotReview)
	}
	switch r := in.Request; {
	case in.APIVersion != "admission.k8s.io/v1" || in.Kind != "AdmissionReview":
		return nil, fmt.Errorf("%w: apiVersion %.60q, kind %.60q", errNotReview, in.APIVersion, in.Kind)
	case r == nil || r.UID == "":
		return nil, fmt.Errorf("%w: no request, or one without uid", errNotReview)
	case r.Kind != groupKind{Kind: kind}:
		return nil, fmt.Errorf("%w: the object is a %.60q: the registration must name %ss only", errNotReview, r.Kind.Kind, kind)
	}
	return in.Request, nil
}

// readReview reads the body of a review; its error is what the HTTP answer says,
// with the status.
func readReview(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	if r.Method != http.MethodPost {
		return nil, http.StatusMethodNotAllowed, errors.New("only POST is allowed")
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, http.StatusUnsupportedMediaType, errors.New("the Content-Type must be application/json")
	}
	body := new(bytes.Buffer)
	body.Grow(bytes.MinRead + int(min(max(0, r.ContentLength), 64<<10))) // most are smaller; who says more must send it first
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return nil, http.StatusRequestEntityTooLarge, errors.New("the review cannot be read, or is larger than 8 MiB")
	}
	return body.Bytes(), 0, nil
}

func writeReview(w http.ResponseWriter, r *response) error {
	answer, err := json.Marshal(review{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview", Response: r})
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // an error means that the API server has gone
	return nil
}

// allow and deny are the two answers.
func allow(req *request) *response { return &response{UID: req.UID, Allowed: true} }

func deny(req *request, problems []serviceaccount.Problem) *response {
	return &response{
		UID:              req.UID,
		Result:           &status{Code: http.StatusForbidden, Reason: "Forbidden", Message: denial(problems)},
		AuditAnnotations: map[string]string{"denied": codes(problems)},
	}
}

// maxBody bounds a review. The API server takes objects of 3 MiB; the review adds
// its own fields, and escapes.
const maxBody = 8 << 20

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
