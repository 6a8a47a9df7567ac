package servingcert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var mutatingResource = admissionregistrationv1.SchemeGroupVersion.WithResource("mutatingwebhookconfigurations")

// owner is the registration of the tests, or a later one of its name.
func owner(uid string) []metav1.OwnerReference {
	r := metav1.OwnerReference{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration", Name: "podpass"}
	r.UID = mutating().UID
	if uid != "" {
		r.UID = "second"
	}
	return []metav1.OwnerReference{r}
}

// TestSecretGoesWithTheRelease: whoever made the Secret, it belongs to the registration
// that there is, which Helm removes. Its CA stays: an owner is no reason to change it.
func TestSecretGoesWithTheRelease(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(t *testing.T, a *api)
		want   []metav1.OwnerReference
	}{
		"made here":           {func(*testing.T, *api) {}, owner("")},
		"of a release before": {func(t *testing.T, a *api) { a.put(t, func(s *corev1.Secret) { s.OwnerReferences = nil }) }, owner("")},
		"the registration was made again": {func(t *testing.T, a *api) {
			again := mutating()
			again.UID = "second"
			if err := a.Tracker().Update(mutatingResource, again, ""); err != nil {
				t.Fatal(err)
			}
		}, owner("second")},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(mutating(), endpoints("a"))
			s := newSource(a, "a")
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			ca := string(a.secret(t).Data[keyCert])
			tt.before(t, a)
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := a.secret(t)
			if d := cmp.Diff(tt.want, got.OwnerReferences); d != "" {
				t.Error(d)
			}
			if string(got.Data[keyCert]) != ca {
				t.Error("the CA is another")
			}
			writes := a.written()
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := a.written() - writes; n != 0 {
				t.Errorf("%d writes though all is as it should be", n)
			}
		})
	}
}

// TestNothingIsLeftBehind: a replica that outlives its release, because it goes down
// slowly, makes no Secret again.
func TestNothingIsLeftBehind(t *testing.T) {
	a := newAPI(mutating(), endpoints("a"))
	s := newSource(a, "a")
	if err := s.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Tracker().Delete(mutatingResource, "", "podpass"); err != nil {
		t.Fatal(err)
	}
	a.deleteSecret(t) // as the garbage collector does
	for range 3 {
		if err := s.check(t.Context()); !apierrors.IsNotFound(err) {
			t.Errorf("check: %v, want that there is no registration", err)
		}
	}
	if _, err := a.CoreV1().Secrets(namespace).Get(t.Context(), "ca", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret: %v, want none", err)
	}
}
