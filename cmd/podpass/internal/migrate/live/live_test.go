package live

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// TestPlain: what the API server quotes of an object is not handed on.
func TestPlain(t *testing.T) {
	invalid := apierrors.NewInvalid(schema.GroupKind{Group: "batch", Kind: "Job"}, "orders", field.ErrorList{
		field.Invalid(field.NewPath("spec", "template"), "the value of a key", "field is immutable"),
		field.Required(field.NewPath("spec", "selector"), ""),
	})
	failedTest := &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonInvalid, Message: "testing value /spec failed", Details: &metav1.StatusDetails{}}}
	other := errors.New("connection refused")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"invalid":       {invalid, "the API server takes it for invalid: spec.selector (FieldValueRequired), spec.template (FieldValueInvalid)"},
		"a failed test": {failedTest, "the API server takes it for invalid; what was to be changed has changed since"},
		"another":       {other, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Plain(test.err); got.Error() != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestConflict(t *testing.T) {
	err := apierrors.NewApplyConflict([]metav1.StatusCause{{
		Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "argocd" using v1`, Field: ".metadata.annotations.eks.amazonaws.com/role-arn",
	}}, "Apply failed with 1 conflict")
	want := `somebody else has set it otherwise: .metadata.annotations.eks.amazonaws.com/role-arn: conflict with "argocd" using v1`
	if got := Conflict(err); got.Error() != want {
		t.Errorf("%v", got)
	}
	changed := apierrors.NewConflict(schema.GroupResource{Resource: "secrets"}, "orders", errors.New("it has been modified"))
	if got := Conflict(changed); !apierrors.IsConflict(got) {
		t.Errorf("%v", got)
	}
}
