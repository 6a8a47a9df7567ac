package serviceaccount

import (
	"slices"

	"github.com/podpass-io/podpass/federation/kube"
)

func (r *resolver) kube() {
	list := r.lookup(KeyKubeClusters)
	if !list.set {
		return
	}
	k := &Kube{Grant: Grant{Mode: r.mode(""), TokenExpiration: r.expiration("", 600), Source: list.source()}}
	for _, v := range r.items(CodeKube, list) {
		c, ok := r.in.Kube.Clusters[v.text]
		switch {
		case v.text != kube.InCluster && !ok:
			r.fail(CodeKube, v, "is no cluster of this installation", "correct the name, or ask the administrator for one of that name, in the chart value kube.clusters")
		case slices.ContainsFunc(k.Clusters, func(have kube.Cluster) bool { return have.Name == v.text }):
			r.fail(CodeKube, v, "is listed twice", "remove one")
		default:
			c.Name = v.text
			k.Clusters = append(k.Clusters, c)
		}
	}
	if len(k.Clusters) == 1 && k.Clusters[0].Name == kube.InCluster {
		r.fail(CodeKube, list, "lists the pod's own cluster alone, which clients find without a kubeconfig", "list another cluster besides, or remove the annotation")
	}
	r.answer.Kube = k
}
