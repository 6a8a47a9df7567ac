package inject

// Around is what of the cluster bears on a pod besides its ServiceAccount. The caller
// looks it up, and sets [Pod.Around] before Plan; the zero value is of a cluster that
// has none of it.
type Around struct {
	// RuntimeClasses are the node selectors of their scheduling, by name. An API server
	// merges them into the pod before webhooks see it, so that only who plans without
	// one has to give them.
	RuntimeClasses map[string]map[string]string
}
