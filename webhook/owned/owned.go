// Package owned gives an owner to what podpass makes at run time: the Secret of its CA and
// the Lease of its audit. Helm does not know of them; with their owner, which Helm removes,
// Kubernetes' garbage collector removes them.
//
// The owner is the webhook's MutatingWebhookConfiguration. Each release has one of its own,
// while a ServiceAccount may be somebody else's; podpass may read that one object by its
// name; and without it nobody needs the two: no API server asks podpass anything.
package owned

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// By is the reference to a registration as owner. It holds up nobody's deletion.
func By(r *admissionregistrationv1.MutatingWebhookConfiguration) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: admissionregistrationv1.SchemeGroupVersion.String(), Kind: "MutatingWebhookConfiguration", Name: r.Name, UID: r.UID,
	}
}

// Give makes o the owner's, beside whoever else owns it, and in the place of a former
// registration of that name; false: it is already.
func Give(o metav1.Object, owner metav1.OwnerReference) bool {
	list := slices.Clone(o.GetOwnerReferences())
	at := slices.IndexFunc(list, func(r metav1.OwnerReference) bool { return r.Kind == owner.Kind && r.Name == owner.Name })
	switch {
	case at < 0:
		list = append(list, owner)
	case list[at].UID == owner.UID:
		return false
	default:
		list[at] = owner
	}
	o.SetOwnerReferences(list)
	return true
}
