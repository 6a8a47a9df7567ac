package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// serves reports whether the pod has the broker: some container uses a cloud of its.
func (pl *planner) serves() bool {
	return slices.ContainsFunc(pl.deliveries, func(d *delivery) bool { return d.Mode == serviceaccount.ModeBroker && pl.used[d.Cloud] })
}

// ownContainers gives the init containers that podpass adds, in the order in which
// they start, and plans the volumes that they and the injected containers need.
func (pl *planner) ownContainers() ([]container, error) {
	var list []container
	for _, d := range pl.deliveries {
		if !pl.used[d.Cloud] {
			continue
		}
		if d.Mode == serviceaccount.ModeBroker && len(list) == 0 {
			c, err := pl.sidecar()
			if err != nil {
				return nil, err
			}
			list = append(list, c)
			pl.addVolume(pl.brokerTokens())
		}
		for _, v := range d.volumes {
			pl.addVolume(v)
		}
		if d.home != nil && d.home.used {
			pl.addVolume(d.home.volume)
		}
	}
	for _, d := range pl.deliveries {
		if pl.used[d.Cloud] && d.setup != nil {
			list = append(list, *d.setup)
		}
	}
	return list, nil
}

// ours reports whether a container of that name is podpass's.
func (pl *planner) ours(name string) bool {
	return name == brokerContainer || slices.Contains(writers, name)
}
