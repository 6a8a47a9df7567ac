package inject

import "slices"

// pullSecrets are the installation's for the image of podpass's containers that the
// pod does not name yet. Where the pod names none, Kubernetes has given it those of its
// ServiceAccount by now, so that to add one takes none away.
func (pl *planner) pullSecrets() []reference {
	var missing []reference
	for _, name := range pl.settings.Broker.ImagePullSecrets {
		if ref := (reference{name}); !slices.Contains(pl.pod.Spec.ImagePullSecrets, ref) && !slices.Contains(missing, ref) {
			missing = append(missing, ref)
		}
	}
	return missing
}
