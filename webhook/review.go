package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// errNotReview: the body is not a review that this webhook can answer.
var errNotReview = errors.New("not an AdmissionReview of admission.k8s.io/v1 with the object expected here")

// maxName is the longest name that Kubernetes allows; a longer one is clipped where it
// enters.
const maxName = 253

// bodyTime is how long a large body may take to arrive, while it keeps its room; a
// small one has the server's own time-out.
const bodyTime = 3 * time.Second

// readReview reads the body of a review; its error is what the HTTP answer says,
// with the status.
func readReview(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	if r.ContentLength > largeBody || r.ContentLength < 0 {
		control := http.NewResponseController(w)
		if control.SetReadDeadline(time.Now().Add(bodyTime)) == nil {
			defer func() { _ = control.SetReadDeadline(time.Time{}) }() // or the answer would end with it
		}
	}
	tooLarge := errors.New("the review cannot be read, or is larger than 4 MiB")
	if r.ContentLength < 0 {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return nil, http.StatusRequestEntityTooLarge, tooLarge
		}
		return body, 0, nil
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, http.StatusBadRequest, tooLarge
	}
	return body, 0, nil
}

// refuseEarly is what can be said of a request before its body is read.
func refuseEarly(r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, errors.New("only POST is allowed")
	}
	// What API servers write is looked at first: to parse it is a part of the whole.
	if t := r.Header.Get("Content-Type"); t != "application/json" {
		if t, _, err := mime.ParseMediaType(t); err != nil || t != "application/json" {
			return http.StatusUnsupportedMediaType, errors.New("the Content-Type must be application/json")
		}
	}
	if r.ContentLength > maxBody {
		return http.StatusRequestEntityTooLarge, errors.New("the review is larger than 4 MiB")
	}
	return 0, nil
}

// decodeReview takes an AdmissionReview of objects of one kind apart, as far as it is
// needed: the objects stay raw JSON, since to decode them into a type of this binary's
// time would lose the fields of a newer API server.
func decodeReview(body []byte, kind string) (*admissionv1.AdmissionRequest, error) {
	var apiVersion, reviewKind string
	var request *admissionv1.AdmissionRequest
	r := rawjson.NewReader(body)
	for name := range r.Members {
		switch string(name) {
		case "apiVersion":
			r.Text(&apiVersion)
		case "kind":
			r.Text(&reviewKind)
		case "request":
			if !r.Null() {
				request = new(admissionv1.AdmissionRequest)
				readRequest(r, request)
			}
		}
	}
	switch err := r.End(); {
	case err != nil:
		return nil, fmt.Errorf("%w: %.200s", errNotReview, err.Error())
	case apiVersion != "admission.k8s.io/v1" || reviewKind != "AdmissionReview":
		return nil, fmt.Errorf("%w: apiVersion %.60q, kind %.60q", errNotReview, apiVersion, reviewKind)
	case request == nil || request.UID == "" || len(request.UID) > maxName:
		return nil, fmt.Errorf("%w: no request, or one without uid", errNotReview)
	case request.Kind.Group != "" || request.Kind.Kind != kind:
		return nil, fmt.Errorf("%w: the object is a %.60q: the registration must name %ss only", errNotReview, request.Kind.Kind, kind)
	}
	return request, nil
}

func readRequest(r *rawjson.Reader, into *admissionv1.AdmissionRequest) {
	var uid, operation string
	var dryRun bool
	for name := range r.Members {
		switch string(name) {
		case "uid":
			r.Text(&uid)
		case "kind":
			for name := range r.Members {
				switch string(name) {
				case "group":
					r.Text(&into.Kind.Group)
				case "kind":
					r.Text(&into.Kind.Kind)
				}
			}
		case "name":
			r.Text(&into.Name)
		case "namespace":
			r.Text(&into.Namespace)
		case "operation":
			r.Text(&operation)
		case "dryRun":
			r.Bool(&dryRun)
		case "object":
			into.Object.Raw = r.Raw()
		case "oldObject":
			into.OldObject.Raw = r.Raw()
		}
	}
	into.UID, into.Operation, into.DryRun = types.UID(uid), admissionv1.Operation(operation), &dryRun
	into.Name, into.Namespace = federation.Clip(into.Name, maxName), federation.Clip(into.Namespace, maxName)
}

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

// uidPattern is how a review begins, as API servers write it.
var uidPattern = regexp.MustCompile(`^\{"kind":"AdmissionReview","apiVersion":"admission\.k8s\.io/v1","request":\{"uid":"([0-9a-f-]{36})"`)

// denyUnread denies a pod that opted in and whose review is too large to be read: its
// owner learns why; where user errors only warn, it is let pass. Others are not podpass's
// to refuse, and are let pass by the registration. false: the review does not begin as
// those of API servers do.
func denyUnread(w http.ResponseWriter, r *http.Request, warn bool) bool {
	begin, _ := io.ReadAll(io.LimitReader(r.Body, 256)) // what has come tells whether it is enough
	uid := uidPattern.FindSubmatch(begin)
	if uid == nil {
		return false
	}
	req := &admissionv1.AdmissionRequest{UID: types.UID(uid[1])}
	problems := []serviceaccount.Problem{inject.TooLarge("the pod", fmt.Sprintf("its review has %d bytes", r.ContentLength))}
	answer := deny(req, problems)
	if warn {
		answer = allow(req)
		answer.Warnings = warnings("", problems)
	}
	return writeReview(w, answer) == nil
}

func deny(req *admissionv1.AdmissionRequest, problems []serviceaccount.Problem) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{
		UID:              req.UID,
		Result:           &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: denial(problems)},
		AuditAnnotations: map[string]string{"denied": codes(problems)},
	}
}
