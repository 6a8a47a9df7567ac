package cluster

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/webhook/inject"
)

const (
	// Label is on all objects of the chart.
	Label = "app.kubernetes.io/name=podpass"
	// component ends the names of the webhook's objects, after the release's.
	component = "-webhook"
	// settingsKey is the ConfigMap's, of the webhook's configuration file.
	settingsKey = "config.yaml"
	// settingsLabel tells the ConfigMap of the current settings from that of former ones,
	// which replicas of a release before may have mounted still.
	settingsLabel = "podpass.io/settings"
)

// ErrNotInstalled: nothing in the cluster has the chart's label.
var ErrNotInstalled = errors.New("podpass is not installed in this cluster")

// Installation is podpass in a cluster.
type Installation struct {
	// Name is the chart's: of the registrations, and the beginning of all other names.
	Name string
	// Namespace of the webhook.
	Namespace string
	// Registration is the webhook's for pods; nil: there is none, or it may not be read.
	Registration *admissionregistrationv1.MutatingWebhookConfiguration
	// ConfigMap has the settings; nil: there is none.
	ConfigMap *corev1.ConfigMap
}

// Webhook is the name of the webhook's Service and ServiceAccount.
func (i Installation) Webhook() string { return i.Name + component }

// Settings are those that the webhook reads, or why they cannot be known.
func (i Installation) Settings() (inject.Settings, error) {
	if i.ConfigMap == nil {
		return inject.Settings{}, fmt.Errorf("the installation %s in namespace %s has no ConfigMap with the label %s=current", i.Name, i.Namespace, settingsLabel)
	}
	text, ok := i.ConfigMap.Data[settingsKey]
	if !ok {
		return inject.Settings{}, fmt.Errorf("ConfigMap %s/%s has no key %s", i.Namespace, i.ConfigMap.Name, settingsKey)
	}
	s, err := inject.LoadSettings([]byte(text))
	if err != nil {
		return s, fmt.Errorf("ConfigMap %s/%s: %w", i.Namespace, i.ConfigMap.Name, err)
	}
	return s, nil
}

// Find gives the installations in the cluster, nearly always one. Who may not read the
// registrations, which are cluster-wide, gets them by their ConfigMaps alone; its error
// is that nothing could be found out, ErrNotInstalled that there is nothing.
func Find(ctx context.Context, client kubernetes.Interface) ([]Installation, error) {
	registrations, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{LabelSelector: Label})
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("list MutatingWebhookConfigurations: %w", err)
	}
	var list []Installation
	if err == nil {
		for i := range registrations.Items {
			r := &registrations.Items[i]
			list = append(list, Installation{Name: r.Name, Namespace: namespace(r), Registration: r})
		}
	}
	maps, err := configMaps(ctx, client, list)
	if err != nil && (len(list) == 0 || !apierrors.IsForbidden(err)) {
		return list, fmt.Errorf("list ConfigMaps: %w", err)
	}
	for i := range maps {
		m := &maps[i]
		name, ok := settingsOf(m)
		if !ok {
			continue
		}
		at := slices.IndexFunc(list, func(i Installation) bool { return i.Name == name && i.Namespace == m.Namespace })
		if at < 0 {
			at, list = len(list), append(list, Installation{Name: name, Namespace: m.Namespace})
		}
		list[at].ConfigMap = m
	}
	if len(list) == 0 {
		return nil, ErrNotInstalled
	}
	return list, err
}

var digest = regexp.MustCompile(component + `-[0-9a-f]{10}$`)

// settingsOf is the name of the installation whose current settings the ConfigMap has. It
// is named by a digest of them; before there was the label, by the installation alone.
func settingsOf(m *corev1.ConfigMap) (name string, ok bool) {
	if _, ok := m.Data[settingsKey]; !ok {
		return "", false
	}
	switch of, labelled := m.Labels[settingsLabel]; {
	case labelled && of != "current":
		return "", false
	case labelled:
		return digest.ReplaceAllString(m.Name, ""), digest.MatchString(m.Name)
	}
	return strings.CutSuffix(m.Name, component)
}

// configMaps are those with the chart's label: of the namespaces of the installations,
// or of all where none is known.
func configMaps(ctx context.Context, client kubernetes.Interface, known []Installation) ([]corev1.ConfigMap, error) {
	namespaces := []string{metav1.NamespaceAll}
	if len(known) > 0 {
		namespaces = nil
		for _, i := range known {
			namespaces = append(namespaces, i.Namespace)
		}
		slices.Sort(namespaces)
		namespaces = slices.Compact(namespaces)
	}
	var all []corev1.ConfigMap
	for _, n := range namespaces {
		list, err := client.CoreV1().ConfigMaps(n).List(ctx, metav1.ListOptions{LabelSelector: Label})
		if err != nil {
			return all, err
		}
		all = append(all, list.Items...)
	}
	return all, nil
}

// namespace is that of the Service that a registration calls.
func namespace(r *admissionregistrationv1.MutatingWebhookConfiguration) string {
	for _, w := range r.Webhooks {
		if s := w.ClientConfig.Service; s != nil {
			return s.Namespace
		}
	}
	return ""
}
