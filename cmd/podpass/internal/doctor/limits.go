package doctor

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/limitranges"
)

// limits are what a namespace's LimitRanges demand of a sidecar.
type limits struct {
	inject.Around
	// unread: somebody may not read them.
	unread bool
}

// limitsOf reads the LimitRanges of a namespace once, as the webhook knows them. Whoever may
// not read them is told with the first pod, and the others are planned without.
func (r *run) limitsOf(ctx context.Context, namespace string) (limits, []found, error) {
	if l, ok := r.limits[namespace]; ok {
		return l, nil, nil
	}
	list, err := r.client.CoreV1().LimitRanges(namespace).List(ctx, metav1.ListOptions{})
	unread, out, err := denied(err, "list", "limitranges", namespace)
	if err != nil {
		return limits{}, nil, err
	}
	l := limits{unread: unread}
	if !unread {
		l.Around = limitranges.Of(list.Items)
	}
	r.limits[namespace] = l
	return l, out, nil
}
