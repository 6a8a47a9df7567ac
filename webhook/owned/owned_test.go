package owned

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestGive: what has no owner gets one; a registration that was made again takes the
// former's place, since the garbage collector goes by the UID; others' ownership stays.
func TestGive(t *testing.T) {
	now := metav1.OwnerReference{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration", Name: "podpass", UID: "now"}
	former := now
	former.UID = "former"
	other := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "podpass", UID: "other"}
	for name, tt := range map[string]struct {
		have, want []metav1.OwnerReference
		changed    bool
	}{
		"nobody's":            {nil, []metav1.OwnerReference{now}, true},
		"already":             {[]metav1.OwnerReference{now}, []metav1.OwnerReference{now}, false},
		"a former one's":      {[]metav1.OwnerReference{other, former}, []metav1.OwnerReference{other, now}, true},
		"somebody else's too": {[]metav1.OwnerReference{other}, []metav1.OwnerReference{other, now}, true},
	} {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: tt.have}}
			owner := By(&admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "podpass", UID: "now"}})
			if changed := Give(secret, owner); changed != tt.changed {
				t.Errorf("changed: %t, want %t", changed, tt.changed)
			}
			if d := cmp.Diff(tt.want, secret.OwnerReferences); d != "" {
				t.Error(d)
			}
		})
	}
}
