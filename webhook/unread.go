package webhook

import (
	"fmt"
	"io"
	"net/http"
	"regexp"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

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
