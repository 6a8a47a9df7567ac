package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
)

// webhooks looks at the webhook's replicas: at the Deployments too only where each
// Service has one, since that says the same.
func (r *run) webhooks(ctx context.Context, i cluster.Installation) ([]found, error) {
	out, err := r.endpoints(ctx, i)
	if err != nil || len(out) > 0 {
		return out, err
	}
	return r.replicas(ctx, i)
}

// endpoints looks for a ready one of each Service that the registration calls.
func (r *run) endpoints(ctx context.Context, i cluster.Installation) ([]found, error) {
	if i.Registration == nil {
		return nil, nil
	}
	services := map[string]bool{}
	for _, w := range i.Registration.Webhooks {
		if s := w.ClientConfig.Service; s != nil {
			services[s.Name] = false
		}
	}
	list, err := r.client.DiscoveryV1().EndpointSlices(i.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName})
	if done, out, err := denied(err, "list", "endpointslices", i.Namespace); done {
		return out, err
	}
	for _, slice := range list.Items {
		service := slice.Labels[discoveryv1.LabelServiceName]
		if _, ok := services[service]; !ok {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				services[service] = true
			}
		}
	}
	var out []found
	for _, service := range slices.Sorted(maps.Keys(services)) {
		if services[service] {
			continue
		}
		out = append(out, one(finding.Finding{
			Code: codeNoEndpoints, Severity: finding.Error, Where: "Service " + i.Namespace + "/" + service,
			Message: "no replica of the webhook is ready behind it: pods are not injected, and those that opted in are refused",
			Fix:     "see why its pods are not ready", Command: fmt.Sprintf("kubectl get pods -n %s --selector %s,app.kubernetes.io/component=webhook", i.Namespace, cluster.Label),
		})...)
	}
	return out, nil
}

// replicas looks at the webhook's Deployments, one a replica.
func (r *run) replicas(ctx context.Context, i cluster.Installation) ([]found, error) {
	list, err := r.client.AppsV1().Deployments(i.Namespace).List(ctx, metav1.ListOptions{LabelSelector: cluster.Label})
	if done, out, err := denied(err, "list", "deployments", i.Namespace); done {
		return out, err
	}
	var out []found
	images := map[string]string{} // of the Deployments, by image
	for _, d := range list.Items {
		for _, c := range d.Spec.Template.Spec.Containers {
			if c.Name == "webhook" {
				images[c.Image] = d.Name
			}
		}
		if want := d.Spec.Replicas; want != nil && d.Status.AvailableReplicas < *want {
			out = append(out, one(finding.Finding{
				Code: codeReplicaDown, Severity: finding.Warning, Where: "Deployment " + i.Namespace + "/" + d.Name, Message: "a replica of the webhook is not available",
				Expected: fmt.Sprint(*want), Seen: fmt.Sprint(d.Status.AvailableReplicas), Fix: "see why its pod does not run",
				Command: fmt.Sprintf("kubectl describe deployment -n %s %s", i.Namespace, d.Name),
			})...)
		}
	}
	if len(images) > 1 {
		out = append(out, one(finding.Finding{
			Code: codeVersions, Severity: finding.Warning, Where: "namespace " + i.Namespace, Message: "replicas of the webhook have different images, so that a pod gets what the one has that is asked",
			Expected: "one image", Seen: strings.Join(slices.Sorted(maps.Keys(images)), ", "), Fix: "upgrade the chart's release, or wait until the upgrade is complete",
			Command: fmt.Sprintf("kubectl get deployments -n %s -o wide", i.Namespace),
		})...)
	}
	return out, nil
}
