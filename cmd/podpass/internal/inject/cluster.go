package inject

import (
	"cmp"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/webhook/inject"
)

// cluster is what the manifests say of the cluster around the pods.
type cluster struct {
	limits         map[string][]corev1.LimitRangeItem // by namespace
	runtimeClasses map[string]map[string]string
}

// readCluster reads the LimitRanges and RuntimeClasses among objects; namespace is that
// of objects that name none.
func readCluster(objects []manifest.Object, namespace string) (cluster, error) {
	c := cluster{map[string][]corev1.LimitRangeItem{}, map[string]map[string]string{}}
	for _, o := range objects {
		var err error
		switch o.Kind {
		case "LimitRange":
			var l corev1.LimitRange
			err = json.Unmarshal(o.Raw, &l)
			in := cmp.Or(o.Metadata.Namespace, namespace)
			c.limits[in] = append(c.limits[in], l.Spec.Limits...)
		case "RuntimeClass":
			var r nodev1.RuntimeClass
			err = json.Unmarshal(o.Raw, &r)
			if r.Scheduling != nil {
				c.runtimeClasses[r.Name] = r.Scheduling.NodeSelector
			}
		}
		if err != nil {
			return c, fmt.Errorf("%s: %s: %w", o.File, o, err)
		}
	}
	return c, nil
}

func (c cluster) around(namespace string) inject.Around {
	return inject.Around{Limits: c.limits[namespace], RuntimeClasses: c.runtimeClasses}
}
