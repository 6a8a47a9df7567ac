package inject

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// containers are the user's, by their place in the pod: init containers (native
// sidecars among them) and containers. Ephemeral containers are added to pods that
// run, whose volumes and sidecars can no longer change: they get nothing. A container
// without a name is passed over: validation, which comes after admission, refuses it
// with a better message than podpass has.
func (pl *planner) containers() iter.Seq2[place, *podContainer] {
	return func(yield func(place, *podContainer) bool) {
		for i := range pl.pod.Spec.InitContainers {
			c := &pl.pod.Spec.InitContainers[i]
			if c.Name != "" && !pl.ours(c.Name) && !yield(place{"initContainers", i}, c) {
				return
			}
		}
		for i := range pl.pod.Spec.Containers {
			// One that is called like ours is the user's: ours are init containers.
			if c := &pl.pod.Spec.Containers[i]; c.Name != "" && !yield(place{"containers", i}, c) {
				return
			}
		}
	}
}

// names are those of containers.
func (pl *planner) names() map[string]bool {
	names := map[string]bool{}
	for _, c := range pl.containers() {
		names[c.Name] = true
	}
	return names
}

// place is where a container is in the pod.
type place struct {
	list  string
	index int
}

// path is the place as a JSON pointer.
func (p place) path() string { return "/spec/" + p.list + "/" + strconv.Itoa(p.index) }

// checkSkipList warns of names that skip nothing, and of a list that skips all.
func (pl *planner) checkSkipList() {
	if len(pl.skipped) == 0 {
		return
	}
	names := pl.names()
	all := len(names) > 0
	for name := range names {
		all = all && pl.skipped[name]
	}
	for _, skip := range pl.answer.SkipContainers {
		if names[skip] {
			continue
		}
		names[skip] = true // said once of a name on several lists
		pl.warn(serviceaccount.Problem{
			Code: codeUnknownSkip, Where: pl.where(), Value: skip, Message: "the list of containers to skip names one that the pod does not have",
			Fix: "correct the name; nothing needs to be done if another webhook adds that container",
		})
	}
	if all {
		pl.warn(serviceaccount.Problem{
			Code: codeAllSkipped, Where: pl.where(), Message: "its ServiceAccount asks for cloud identities, but each container is on the list of those to skip",
			Fix: "shorten the list, or label the pod podpass.io/inject=false",
		})
	}
}

// inject plans what the container at a place lacks. New variables go to the end:
// a value can only refer ($(NAME)) to what comes before it, so that nothing the
// user wrote changes its meaning. Where one of the user's has to be countered (an
// overridden static key, NO_PROXY) ours follows it under the same name, and kubelet
// takes the last.
func (pl *planner) inject(at place, c *podContainer) {
	if pl.skipped[c.Name] {
		return
	}
	pl.prune(at, c)
	var env []envVar
	var mounts []volumeMount
	brokered := false
	for _, d := range pl.deliveries {
		everywhere := d.of(pl, c).placed(pl, c)
		d := everywhere.where(pl, c)
		overrides, ok := pl.staticKeys(d, c)
		if !ok {
			continue
		}
		missing, ok := pl.missingMounts(d, c)
		if !ok || pl.hasOwn(d, c) {
			guards := d.guards(c)
			pl.guards[at] = append(pl.guards[at], guards...)
			env = append(env, guards...)
			for _, want := range d.guard {
				pl.checkNodeMetadata(want, c)
			}
			continue
		}
		if d.Mode == serviceaccount.ModeBroker && at.list == "initContainers" && pl.early[c.Name] {
			env = append(env, pl.tooEarly(d, c)...)
			pl.used[d.Cloud] = pl.used[d.Cloud] || len(d.mounts) > 0
			mounts = append(mounts, missing...)
			continue
		}
		pl.used[d.Cloud] = true
		pl.checkKept(d, c)
		pl.checkPlaces(everywhere, c)
		pl.checkSelection(d, c, overrides)
		if v, m, ok := pl.atHome(d.home, c); ok {
			env, missing = append(env, v), append(missing, m)
		}
		env = append(env, overrides...)
		added := d.missingEnv(c)
		pl.lacking[d.Cloud] = pl.lacking[d.Cloud] || d.lacking(added, missing)
		env = append(env, added...)
		mounts = append(mounts, missing...)
		if d.Mode == serviceaccount.ModeBroker {
			brokered = true
			pl.checkClientID(d, c)
			if want, ok := d.want(noIMDS.Name); ok {
				pl.checkNodeMetadata(want, c)
			}
		}
	}
	if brokered {
		pl.checkProxy(c)
		env = append(env, pl.noProxy(c)...)
	}
	appendTo(&pl.patch, at.path()+"/env", c.Env != nil, env)
	appendTo(&pl.patch, at.path()+"/volumeMounts", c.VolumeMounts != nil, mounts)
}

// missingEnv gives the variables that the container does not set; one that a chart
// rendered empty is not set, for SDKs neither. What an envFrom sets cannot be seen,
// and gives way to these, as it does with the webhooks whose annotations podpass
// honours.
func (d *delivery) missingEnv(c *podContainer) []envVar {
	var list []envVar
	for _, v := range d.env {
		if !c.hasEnv(v.Name) && !c.hasEnv(d.alternatives[v.Name]) {
			list = append(list, v)
		}
	}
	return list
}

// lacking reports whether what a container is missing is what gives it credentials.
func (d *delivery) lacking(env []envVar, mounts []volumeMount) bool {
	return (d.Cloud == "oidc" || d.Mode == serviceaccount.ModeDirect) && len(mounts) > 0 || slices.ContainsFunc(env, func(v envVar) bool { return slices.Contains(d.own, v.Name) || slices.Contains(d.static, v.Name) })
}

// chosen is the variable by which the container has another source of credentials for
// the cloud; false: it has none.
func (d *delivery) chosen(c *podContainer) (podEnv, bool) {
	for _, name := range d.own {
		have, _ := c.env(name)
		if want, ok := d.want(name); !c.hasEnv(name) || ok && want.same(have) || d.mounted(have) {
			continue
		}
		if name == d.file && have.unseen() {
			continue // which may be where the token is: see checkKept
		}
		return have, true
	}
	return podEnv{}, false
}

// hasOwn reports, and warns, that the container has another source of credentials
// for the cloud.
func (pl *planner) hasOwn(d *delivery, c *podContainer) bool {
	have, ok := d.chosen(c)
	if ok {
		p := serviceaccount.Problem{
			Code: codeOwnCredentials, Where: pl.whereContainer(c.Name) + " variable " + have.Name,
			Message: fmt.Sprintf("the container has its own source of %s credentials, so that it does not get the ServiceAccount's", d.Cloud),
			Fix:     "remove the variable, and those that belong to it, to use the ServiceAccount's identity",
		}
		if podIdentity(have) {
			p.Message = "the variable is EKS Pod Identity's: the platform serves this container itself, with the role of the ServiceAccount's association, and podpass leaves it alone"
			p.Fix = "delete one of the two: the annotation of the ServiceAccount, or the association (aws eks delete-pod-identity-association)"
		}
		pl.warn(p)
	}
	return ok
}

// mounted reports whether a variable names the token's file in one of the places
// where this delivery mounts it.
func (d *delivery) mounted(have podEnv) bool {
	at := cleanPath(have.Value)
	return at != "" && (at == d.at || slices.ContainsFunc(d.mounts, func(m volumeMount) bool { return at == m.MountPath+"/"+d.token.Path }))
}

func mountFix(d *delivery) string {
	if d.Cloud == "oidc" { // whose files are mounted in either mode
		return "remove that mount"
	}
	return "remove that mount, or use broker mode, which mounts no cloud's token in the container"
}

func (pl *planner) checkClientID(d *delivery, c *podContainer) {
	want, ok := d.want("AZURE_CLIENT_ID")
	served := func(id string) bool {
		return slices.ContainsFunc(pl.answer.Azure.Others, func(a azure.Application) bool { return strings.EqualFold(a.ClientID, id) })
	}
	if have, set := c.env(want.Name); ok && set && have.ValueFrom == nil && have.Value != "" && !strings.EqualFold(have.Value, want.Value) && !served(have.Value) {
		pl.warn(serviceaccount.Problem{
			Code: codeClientID, Where: pl.whereContainer(c.Name) + " variable AZURE_CLIENT_ID", Value: have.Value,
			Message: "the broker serves the ServiceAccount's client ID " + want.Value + " alone, and refuses requests for this one",
			Fix:     "remove the variable, or add this client ID to the ServiceAccount's annotation podpass.io/azure-other-clients",
		})
	}
}

// checkSelection warns of a container that makes its SDK look at one source of
// credentials alone, and at another than it is given.
func (pl *planner) checkSelection(d *delivery, c *podContainer, overrides []envVar) {
	for _, v := range d.blinds {
		if have, _ := c.env(v.Name); strings.EqualFold(have.Value, v.Value) {
			pl.warn(serviceaccount.Problem{
				Code: codeSelection, Where: pl.whereContainer(c.Name) + " variable " + v.Name, Value: have.Value,
				Message: "by that some SDKs do not ask the broker for credentials, and have none",
				Fix:     "remove the variable",
			})
		}
	}
	for _, want := range d.selects {
		have, _ := c.env(want.Name)
		if have.Value == "" || selected(c, want) || slices.Contains(overrides, want) {
			continue
		}
		pl.warn(serviceaccount.Problem{
			Code: codeSelection, Where: pl.whereContainer(c.Name) + " variable " + want.Name, Value: have.Value,
			Message: "by that the SDK tries only credentials that the container does not have",
			Fix:     "remove the variable, or set it to " + want.Value,
		})
	}
}

// selected reports whether the container's own selection has want's in it: by name, or
// as one of those for production.
func selected(c *podContainer, want envVar) bool {
	have, _ := c.env(want.Name)
	return strings.EqualFold(have.Value, want.Value) || strings.EqualFold(have.Value, "prod")
}

// checkNodeMetadata warns of a container that keeps EC2's metadata service in its SDK's
// chain, where want would take it out: behind the broker, or behind what the container
// has chosen itself.
func (pl *planner) checkNodeMetadata(want envVar, c *podContainer) {
	if have, _ := c.env(want.Name); have.Value != "" && !strings.EqualFold(have.Value, want.Value) {
		pl.warn(serviceaccount.Problem{
			Code: codeNodeMetadata, Where: pl.whereContainer(c.Name) + " variable " + want.Name, Value: have.Value,
			Message: "the SDK takes the node's role when it has no other credentials",
			Fix:     "remove the variable; podpass then sets it to true",
		})
	}
}
