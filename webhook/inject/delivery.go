package inject

import (
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// delivery is how one cloud's identity reaches the containers of a pod, in one
// mode: a table of what each container gets. The tables are in aws.go, gcp.go,
// azure.go, oidc.go and kube.go; container.go applies them.
type delivery struct {
	Injection

	// token is the subject token that this cloud needs; what the broker reads are
	// brokered, whose paths are the names of its files.
	token    tokenProjection
	brokered []tokenProjection
	// env are the variables, each added only where it is absent.
	env []envVar
	// alternatives: a variable is not added where its alternative is set, because
	// SDKs take either and the user has chosen.
	alternatives map[string]string
	// own are variables by which a container says that it has another source of
	// credentials. One that is set, other than to what env has, leaves this cloud
	// out of that container: SDKs would mix the two.
	own []string
	// kept are variables that may name another identity, for which the same token is
	// good: one that is set stays, with a warning.
	kept []string
	// static are the variables of static keys, which SDKs prefer to federation.
	static []string
	// mixes are those of static beside which env would change what the key is used
	// with, so that a container with one is left alone.
	mixes []string
	// guard is added to a container that is left without this cloud, so that its SDKs do
	// not take the node's identity instead.
	guard []guard
	// hidden are those of static that may be emptied on suspicion, where an envFrom
	// might set them: only where every SDK takes an empty one as not set.
	hidden []string
	// selects makes SDKs pass over static keys; set where they are overridden.
	selects []envVar
	// blinds are values of the container's variables by which SDKs do not look for what
	// env names.
	blinds []envVar
	// mounts and volumes are direct mode's.
	mounts  []volumeMount
	volumes []volume
	// file is the variable that names the token's file where each of mounts has it, so
	// that one of them is enough; "": all are needed.
	file string
	// at is where the container's own variable has the token's file, in one of mounts;
	// "": nowhere else.
	at string
	// home is where the cloud's command line writes; nil: it has no need.
	home *home
	// setup is the init container that direct mode needs first; nil: none.
	setup *container
}

// want gives the value that this delivery has for a variable.
func (d *delivery) want(name string) (envVar, bool) {
	for _, v := range d.env {
		if v.Name == name {
			return v, true
		}
	}
	return envVar{}, false
}

// same reports whether what a container has is what podpass would write, which is never
// empty: what has a value comes from nowhere else.
func (v envVar) same(have podEnv) bool {
	if v.ValueFrom == nil {
		return have.Value == v.Value
	}
	return have.ValueFrom != nil && have.ValueFrom.FieldRef != nil && have.ValueFrom.FieldRef.FieldPath == v.ValueFrom.FieldRef.FieldPath
}

func literal(name, value string) envVar {
	return envVar{Name: name, Value: escapeReferences(value)}
}

// podUID is a variable that holds the pod's UID. It is the secret of the broker's
// endpoint: 122 random bits that a request forged from outside the pod cannot
// know, with no Secret to create, and the same each time the patch is planned.
func podUID(name string) envVar { return downward(name, "metadata.uid") }

// downward is a variable that holds a field of the pod.
func downward(name, path string) envVar {
	return envVar{Name: name, ValueFrom: &envRef{FieldRef: &fieldRef{FieldPath: path}}}
}

// withValues leaves out the variables whose value is not known: an SDK takes an
// empty one for a setting.
func withValues(list ...envVar) []envVar {
	kept := list[:0]
	for _, v := range list {
		if v.Value != "" || v.ValueFrom != nil {
			kept = append(kept, v)
		}
	}
	return kept
}

// escapeReferences doubles each $, since kubelet expands $(NAME) in the values of
// variables, and $$ to $. Annotations end up in these values.
func escapeReferences(s string) string {
	n := 0
	for i := range len(s) {
		if s[i] == '$' {
			n++
		}
	}
	if n == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+n)
	for i := range len(s) {
		if s[i] == '$' {
			b = append(b, '$')
		}
		b = append(b, s[i])
	}
	return string(b)
}

// deliveries gives what the Answer asks for, in the order aws, gcp, azure, oidc,
// kube.
func deliveries(pl *planner) []*delivery {
	var list []*delivery
	if a := pl.answer.AWS; a != nil {
		d := &delivery{Injection: pl.injection("aws", a.Grant, a.RoleARN), token: pl.token(a.Grant, a.Audience)}
		if d.Mode == serviceaccount.ModeBroker && pl.platformAWS(a) {
			d.Mode, d.Because = serviceaccount.ModeDirect, becausePlatform
		}
		if d.Mode == serviceaccount.ModeBroker {
			awsBroker(d, pl, a)
		} else {
			awsDirect(d, pl, a)
		}
		list = append(list, d)
	}
	if g := pl.answer.GCP; g != nil {
		d := &delivery{Injection: pl.injection("gcp", g.Grant, gcpName(g)), token: pl.token(g.Grant, g.Audience)}
		if d.Mode == serviceaccount.ModeBroker {
			gcpBroker(d, pl, g)
		} else {
			gcpDirect(d, pl, g)
		}
		list = append(list, d)
	}
	if z := pl.answer.Azure; z != nil {
		d := &delivery{Injection: pl.injection("azure", z.Grant, azureName(z)), token: pl.token(z.Grant, z.Audience)}
		if d.Mode == serviceaccount.ModeBroker {
			azureBroker(d, pl, z)
		} else {
			azureDirect(d, pl, z)
		}
		list = append(list, d)
	}
	for _, d := range list {
		d.brokered = []tokenProjection{d.token}
		d.brokered[0].Path = d.Cloud
	}
	if o := pl.answer.OIDC; o != nil {
		list = append(list, oidcDelivery(pl, o))
	}
	if k := pl.answer.Kube; k != nil {
		list = append(list, kubeDelivery(pl, k))
	}
	return list
}
