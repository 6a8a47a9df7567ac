package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/federation/finding"
)

// uninjected says why a pod has nothing of what it asks for.
func (r *run) uninjected(ctx context.Context, p *pod) (found, error) {
	var identities []string
	for _, m := range p.plan.Missing {
		identities = append(identities, m.Cloud+" "+m.Identity)
	}
	f := func(code, message, expected, seen, fix string) (found, error) {
		return p.found(code, finding.Error, "it runs without "+strings.Join(identities, " and ")+": "+message, expected, seen, fix), nil
	}
	created := p.CreationTimestamp.Time
	if registered := r.registered(); registered != nil {
		excluded, err := r.excluded(ctx, registered, p.Namespace)
		if err != nil {
			return found{}, err
		}
		if excluded {
			return f(codeExcluded, "podpass leaves its namespace alone", "a namespace that the registration selects", p.Namespace,
				"run it in another namespace, or take this one out of excludedNamespaces")
		}
		if since := registered.CreationTimestamp.Time; created.Before(since) {
			return f(codeOlderThanHook, "it is older than the installation", "created after "+stamp(since), "created "+stamp(created), p.again())
		}
	}
	if noted := p.account.noted; created.Before(noted) {
		return f(codeOlderThanNote, "it is older than the annotation of its ServiceAccount", "created after "+stamp(noted), "created "+stamp(created), p.again())
	}
	why := "the webhook was not asked, or could not be reached"
	if p.account.noted.IsZero() {
		why += ", or its ServiceAccount was annotated afterwards"
	}
	return f(codeMissed, why, "injected when it was created "+stamp(created), "not injected",
		p.again()+"; label it podpass.io/inject: \"true\", so that it never starts without")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// registered is the installation's registration; nil: it is not known.
func (r *run) registered() *admissionregistrationv1.MutatingWebhookConfiguration {
	if len(r.installations) == 0 {
		return nil
	}
	return r.installations[0].Registration
}

// excluded reports whether the registration's entry for all pods leaves a namespace out.
func (r *run) excluded(ctx context.Context, c *admissionregistrationv1.MutatingWebhookConfiguration, namespace string) (bool, error) {
	for _, w := range c.Webhooks {
		if w.Name != podsEntry || w.NamespaceSelector == nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
		if err != nil {
			return false, fmt.Errorf("MutatingWebhookConfiguration %s %s: namespaceSelector: %w", c.Name, w.Name, err)
		}
		set, err := r.namespaceLabels(ctx, namespace, w.NamespaceSelector)
		return err == nil && !selector.Matches(set), err
	}
	return false, nil
}

// namespaceLabels are looked up where the selector asks for more than the label that
// each namespace has; whoever may not read them gets that one.
func (r *run) namespaceLabels(ctx context.Context, name string, selector *metav1.LabelSelector) (labels.Set, error) {
	named := labels.Set{corev1.LabelMetadataName: name}
	if set, ok := r.namespaces[name]; ok {
		return set, nil
	}
	more := len(selector.MatchLabels) > 0
	for _, e := range selector.MatchExpressions {
		more = more || e.Key != corev1.LabelMetadataName
	}
	if more {
		n, err := r.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		switch {
		case err == nil:
			named = n.Labels
		case !apierrors.IsForbidden(err):
			return nil, fmt.Errorf("read namespace %s: %w", name, err)
		}
	}
	r.namespaces[name] = named
	return named, nil
}
