package inject

import (
	"encoding/json"
	"fmt"

	nodev1 "k8s.io/api/node/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/webhook/inject"
)

// cluster is what the manifests say of the cluster around the pods.
type cluster struct{ around inject.Around }

func readCluster(objects []manifest.Object) (cluster, error) {
	c := cluster{inject.Around{RuntimeClasses: map[string]map[string]string{}}}
	for _, o := range objects {
		if o.Kind != "RuntimeClass" {
			continue
		}
		var r nodev1.RuntimeClass
		if err := json.Unmarshal(o.Raw, &r); err != nil {
			return c, fmt.Errorf("%s: %s: %w", o.File, o, err)
		}
		if r.Scheduling != nil {
			c.around.RuntimeClasses[r.Name] = r.Scheduling.NodeSelector
		}
	}
	return c, nil
}
