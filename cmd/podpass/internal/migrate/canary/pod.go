// Package canary proves that a workload gets along without its static keys before they are
// taken from it: by a pod of the same template without them, that does nothing else.
package canary

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// managedBy is the label that Kubernetes recommends for it.
const managedBy = "app.kubernetes.io/managed-by"

// kept are prefixes of the labels that decide how podpass injects a pod. No other stays: a
// Service or a controller would take the canary for a pod of its own.
var kept = []string{"podpass.io/", "azure.workload.identity/"}

// Want is what a canary is made of.
type Want struct {
	Namespace, Name string
	// Template is the pod template of the workload, as JSON, and Removal what it shall do
	// without.
	Template       []byte
	Removal        edit.Removal
	ServiceAccount string
	// Probe is a command for a shell in each of the template's containers; empty: they run
	// Image, the broker's, which ends at once, and are the proof since they only start
	// when the broker has credentials.
	Probe string
	Image string
	// PullPolicy of Image; empty: Kubernetes' own.
	PullPolicy string
	Timeout    time.Duration
}

// Pod is the canary.
func Pod(w Want) (*corev1.Pod, error) {
	emptied, err := edit.Empty(w.Template, w.Removal)
	if err != nil {
		return nil, err
	}
	var template corev1.PodTemplateSpec
	if err := json.Unmarshal(emptied, &template); err != nil {
		return nil, fmt.Errorf("read the pod template of the canary: %w", err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: w.Name, Labels: map[string]string{managedBy: live.Manager},
			Annotations: maps.Clone(template.Annotations),
		},
		Spec: template.Spec,
	}
	for key, value := range template.Labels {
		if slices.ContainsFunc(kept, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			pod.Labels[key] = value
		}
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[serviceaccount.KeyStrictStart] = "true"
	place(&pod.Spec, w)
	containers(&pod.Spec, w)
	storage(&pod.Spec)
	return pod, nil
}

// place is where and as whom it runs: on any node that the workload could be on, and for
// no longer than somebody waits.
func place(s *corev1.PodSpec, w Want) {
	s.ServiceAccountName, s.DeprecatedServiceAccount = w.ServiceAccount, ""
	s.RestartPolicy = corev1.RestartPolicyNever
	s.NodeName, s.Hostname, s.Subdomain = "", "", ""
	s.ReadinessGates, s.SchedulingGates, s.TopologySpreadConstraints = nil, nil, nil
	if s.Affinity != nil {
		s.Affinity.PodAffinity, s.Affinity.PodAntiAffinity = nil, nil
	}
	// Nobody is left to delete it if podpass is killed: then it ends by itself.
	deadline, grace := max(1, int64(w.Timeout/time.Second)), int64(1)
	s.ActiveDeadlineSeconds, s.TerminationGracePeriodSeconds = &deadline, &grace
}

// containers run the probe, or what ends at once. Of the init containers only native
// sidecars stay: the others prepare what a canary has no use for, perhaps a database; a
// sidecar may be the way to the network.
func containers(s *corev1.PodSpec, w Want) {
	s.EphemeralContainers = nil
	s.InitContainers = slices.DeleteFunc(s.InitContainers, func(c corev1.Container) bool {
		return c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
	})
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			list[i].LivenessProbe, list[i].ReadinessProbe, list[i].StartupProbe = nil, nil, nil
			list[i].Lifecycle, list[i].Ports = nil, nil
		}
	}
	for i := range s.Containers {
		c := &s.Containers[i]
		if w.Probe != "" {
			c.Command, c.Args = []string{"sh", "-c", w.Probe}, nil
			continue
		}
		c.Image, c.ImagePullPolicy = w.Image, corev1.PullPolicy(w.PullPolicy)
		c.Command, c.Args, c.WorkingDir = []string{"/podpass-broker", "version"}, nil, ""
		c.Resources.Claims = nil
		for _, list := range []corev1.ResourceList{c.Resources.Requests, c.Resources.Limits} {
			// It needs no device to print a version.
			maps.DeleteFunc(list, func(name corev1.ResourceName, _ resource.Quantity) bool {
				return name != corev1.ResourceCPU && name != corev1.ResourceMemory
			})
		}
	}
}

// storage keeps the canary from the application's data: in the place of claims, also of
// those that a StatefulSet makes, it has empty directories.
func storage(s *corev1.PodSpec) {
	has := map[string]bool{}
	for i := range s.Volumes {
		v := &s.Volumes[i]
		has[v.Name] = true
		if v.PersistentVolumeClaim != nil || v.Ephemeral != nil {
			v.VolumeSource = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
		}
	}
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			list[i].VolumeDevices = nil
			for _, m := range list[i].VolumeMounts {
				if !has[m.Name] {
					has[m.Name] = true
					s.Volumes = append(s.Volumes, corev1.Volume{Name: m.Name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
				}
			}
		}
	}
}
