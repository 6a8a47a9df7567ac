package doctor

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/limitranges"
)

// around reads the LimitRanges of a namespace once, as the webhook knows them. That somebody
// may not read them is found with the namespace's first pod; its pods are planned without.
func (r *run) around(ctx context.Context, namespace string) (inject.Around, []found, error) {
	if a, ok := r.arounds[namespace]; ok {
		return a, nil, nil
	}
	list, err := r.client.CoreV1().LimitRanges(namespace).List(ctx, metav1.ListOptions{})
	unread, out, err := denied(err, "list", "limitranges", namespace)
	if err != nil {
		return inject.Around{}, nil, err
	}
	var a inject.Around
	if !unread {
		a = limitranges.Of(list.Items)
	}
	r.arounds[namespace] = a
	return a, out, nil
}
