package inject

import corev1 "k8s.io/api/core/v1"

// Around is what of the cluster bears on a pod besides its ServiceAccount. The caller
// looks it up, and sets [Pod.Around] before Plan; the zero value is of a cluster that
// has none of it.
type Around struct {
	// Limits are those of all LimitRanges of the pod's namespace.
	Limits []corev1.LimitRangeItem
	// RuntimeClasses are the node selectors of their scheduling, by name. An API server
	// merges them into the pod before webhooks see it, so that only who plans without
	// one has to give them.
	RuntimeClasses map[string]map[string]string
}
