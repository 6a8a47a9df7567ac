package audit

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespaces are the names of those that the registration selects by label; nil: all.
// What is read of them is a few hundred bytes each, but for annotations as long as
// anybody makes them.
func (a *Auditor) namespaces(ctx context.Context) (map[string]bool, error) {
	if a.NamespaceSelector == nil {
		return nil, nil
	}
	selected := map[string]bool{}
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: a.NamespaceSelector.String()}
	for {
		if err := sleep(ctx, pace); err != nil {
			return nil, err
		}
		list, err := a.Client.CoreV1().Namespaces().List(ctx, options)
		if apierrors.IsRequestEntityTooLargeError(err) && options.Limit > 1 {
			options.Limit = max(1, options.Limit/5)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("namespaces with the labels %s: %w", a.NamespaceSelector, err)
		}
		for i := range list.Items {
			selected[list.Items[i].Name] = true
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return selected, nil
		}
	}
}
