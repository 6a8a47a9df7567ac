package webhook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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

// podHead is what decides, before any planning, whether a pod concerns podpass.
type podHead struct {
	Metadata struct {
		Name         string            `json:"name"`
		GenerateName string            `json:"generateName"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		ServiceAccountName string            `json:"serviceAccountName"`
		NodeSelector       map[string]string `json:"nodeSelector"`
	} `json:"spec"`
}

func (p *podHead) serviceAccount() string { return cmp.Or(p.Spec.ServiceAccountName, "default") }

// name is what a person finds the pod by; a pod about to be created by a
// controller has no name yet.
func (p *podHead) name() string {
	if p.Metadata.Name == "" && p.Metadata.GenerateName != "" {
		return p.Metadata.GenerateName + "*"
	}
	return p.Metadata.Name
}

// errNotReview: the body is not a review that this webhook can answer.
var errNotReview = errors.New("not an AdmissionReview of admission.k8s.io/v1 with a pod")

func decodeReview(body []byte) (*request, *podHead, error) {
	var in review
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, nil, fmt.Errorf("%w: not JSON", errNotReview)
	}
	switch r := in.Request; {
	case in.APIVersion != "admission.k8s.io/v1" || in.Kind != "AdmissionReview":
		return nil, nil, fmt.Errorf("%w: apiVersion %.60q, kind %.60q", errNotReview, in.APIVersion, in.Kind)
	case r == nil || r.UID == "":
		return nil, nil, fmt.Errorf("%w: no request, or one without uid", errNotReview)
	case r.Kind != groupKind{Kind: "Pod"}:
		return nil, nil, fmt.Errorf("%w: the object is a %.60q: the registration must name pods only", errNotReview, r.Kind.Kind)
	}
	pod := new(podHead)
	if err := json.Unmarshal(in.Request.Object, pod); err != nil {
		return nil, nil, fmt.Errorf("%w: the pod cannot be read", errNotReview)
	}
	return in.Request, pod, nil
}
