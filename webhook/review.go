package webhook

import (
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// errNotReview: the body is not a review that this webhook can answer.
var errNotReview = errors.New("not an AdmissionReview of admission.k8s.io/v1 with the object expected here")

// maxName is the longest name that Kubernetes allows; a longer one is clipped where it
// enters.
const maxName = 253

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
