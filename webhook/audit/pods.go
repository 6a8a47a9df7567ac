package audit

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// pageSize is how many pods a list has at most. Pods have some KiB, so that a page has a
// few hundred; of pods so large that a page is above what the client takes, fewer are
// asked for.
const pageSize = 100

// pods gives fn the ServiceAccount's pods that run, or will, and whose label fits: those
// without podpass's, or those with it. An error of fn ends it.
func (a *Auditor) pods(ctx context.Context, name types.NamespacedName, label string, fn func(*corev1.Pod) error) (err error) {
	defer recovered(&err)
	options := metav1.ListOptions{
		Limit: pageSize,
		LabelSelector: strings.Join([]string{
			label, "!" + serviceaccount.KeyEKSSkip, serviceaccount.KeyInject + "!=false",
		}, ","),
		FieldSelector: "spec.serviceAccountName=" + name.Name + ",status.phase!=Succeeded,status.phase!=Failed",
	}
	for {
		if err := sleep(ctx, pace); err != nil {
			return err
		}
		list, err := a.Client.CoreV1().Pods(name.Namespace).List(ctx, options)
		if apierrors.IsRequestEntityTooLargeError(err) && options.Limit > 1 {
			options.Limit = max(1, options.Limit/5) // 20, then 4, of which all pages fit
			continue
		}
		if err != nil {
			return err
		}
		for i := range list.Items {
			if list.Items[i].DeletionTimestamp != nil {
				continue
			}
			if err := fn(&list.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}

// missed gives what the pod lacks that it would get, were it created now; nil: nothing,
// or a denial. A pod with podpass's label has what it was given, by other settings
// perhaps; unless the label came with the manifest.
func (a *Auditor) missed(pod *corev1.Pod, record sastore.Record) ([]inject.Injection, error) {
	raw, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	p, err := inject.Decode(raw)
	if err != nil {
		return nil, err
	}
	if _, labelled := pod.Labels[inject.InjectedLabel]; labelled {
		if holds, err := p.LabelHolds(); err != nil || holds {
			return nil, err
		}
	}
	request := p.Request()
	request.Annotations, request.Labels = record.Annotations, record.Labels
	settings := a.Settings()
	result, err := inject.Plan(p, serviceaccount.Resolve(request, settings.Installation), settings)
	return result.Missing, err
}

// sleep returns after d, or with ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
