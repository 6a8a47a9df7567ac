// Package rollout waits until the pods of a workload are those of its pod template, and
// ready; where no controller replaces them it does so, one by one.
package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// pageSize of a list of pods.
const pageSize = 500

// pods are those that a workload has made, through all that is between; those that have
// ended do not count.
func (w Waiter) pods(ctx context.Context, of *unstructured.Unstructured) ([]corev1.Pod, error) {
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: selector(of)}
	if of.GetKind() == "Pod" {
		options.FieldSelector = "metadata.name=" + of.GetName()
	}
	var own []corev1.Pod
	for {
		list, err := w.Client.CoreV1().Pods(of.GetNamespace()).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("list pods: %w", err)
		}
		for _, p := range list.Items {
			if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
				continue
			}
			is, err := w.made(ctx, &p, of.GetUID())
			if err != nil {
				return nil, err
			}
			if is {
				own = append(own, p)
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return own, nil
		}
	}
}

// selector of the pods of a workload, to read less; empty: all have to be looked at.
func selector(of *unstructured.Unstructured) string {
	s, _, _ := unstructured.NestedMap(of.Object, "spec", "selector") // of another shape: none
	if s == nil {
		return ""
	}
	if of.GetKind() == "ReplicationController" {
		s = map[string]any{"matchLabels": s}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	var typed metav1.LabelSelector
	if json.Unmarshal(b, &typed) != nil || len(typed.MatchLabels)+len(typed.MatchExpressions) == 0 {
		return "" // a custom resource's, of its own kind
	}
	return metav1.FormatLabelSelector(&typed)
}

// deepest is how many objects may be between a pod and its workload: a chain is no longer
// than three.
const deepest = 8

// made reports whether a pod is the object with the UID, or was made by it. What is above
// an object does not change, and is asked for once.
func (w Waiter) made(ctx context.Context, p *corev1.Pod, by types.UID) (bool, error) {
	if p.UID == by {
		return true, nil
	}
	owner := metav1.GetControllerOf(p)
	for range deepest {
		if owner == nil {
			return false, nil
		}
		if owner.UID == by {
			return true, nil
		}
		above, ok := w.above[owner.UID]
		if !ok {
			u, err := w.Objects.Get(ctx, graph.Object{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: p.Namespace, Name: owner.Name})
			if err != nil && !apierrors.IsForbidden(err) { // of what may not be read nothing is made here
				return false, err
			}
			if u != nil {
				above = metav1.GetControllerOf(u)
			}
			w.above[owner.UID] = above
		}
		owner = above
	}
	return false, nil
}

// Without reports whether a pod has none of what removals take out, and runs as the
// ServiceAccount.
func Without(p *corev1.Pod, removals []edit.Removal, account string) (bool, error) {
	if p.Spec.ServiceAccountName != account {
		return false, nil
	}
	has, err := Has(p, removals)
	return !has, err
}

// Has reports whether a pod has anything of what removals take out.
func Has(p *corev1.Pod, removals []edit.Removal) (bool, error) {
	object, err := json.Marshal(p)
	if err != nil {
		return false, fmt.Errorf("read pod %s: %w", p.Name, err)
	}
	for _, r := range removals {
		r.Template, r.OwnAnnotations = "", nil
		c, err := edit.Patch(object, r)
		if err != nil {
			return false, err
		}
		if len(c.Patch) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// Injected reports whether podpass's sidecar is in a pod.
func Injected(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == "podpass-broker" })
}
