package inject

import (
	"slices"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// mesh is what a service mesh puts into pods, by name. Its proxy has the pod's network,
// once the pod's traffic is redirected to it; none of its containers needs an identity.
type mesh struct {
	name  string
	proxy string
	// setup are init containers that redirect the traffic, or check that the mesh's CNI
	// plugin did. Before the first kind the network is still the node's; the second means
	// that there is none until the proxy runs.
	setup, checks []string
	// user is the one whose traffic is not redirected.
	user int64
	// exclude is the pod annotation that leaves ports out of the redirection.
	exclude string
}

var meshes = []mesh{
	{"Istio", "istio-proxy", []string{"istio-init"}, []string{"istio-validation"}, 1337, "traffic.sidecar.istio.io/excludeOutboundPorts"},
	{"Linkerd", "linkerd-proxy", []string{"linkerd-init"}, []string{"linkerd-network-validator"}, 2102, "config.linkerd.io/skip-outbound-ports"},
	{"Consul", "consul-dataplane", []string{"consul-connect-inject-init"}, nil, 5995, "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports"},
	{"Kuma", "kuma-sidecar", []string{"kuma-init"}, []string{"kuma-validation"}, 5678, "traffic.kuma.io/exclude-outbound-ports"},
}

// meshContainer reports whether a name is that of a mesh's container, which needs no
// identity.
func meshContainer(name string) bool {
	return slices.ContainsFunc(meshes, func(m mesh) bool {
		return name == m.proxy || slices.Contains(m.setup, name) || slices.Contains(m.checks, name)
	})
}

// native reports whether an init container goes on while the next ones start.
func (c *podContainer) native() bool { return c.RestartPolicy == "Always" }

// named finds a container by its name; -1: there is none.
func named(list []podContainer, name string) int {
	return slices.IndexFunc(list, func(c podContainer) bool { return c.Name == name })
}

// brokerPlace is the number of the pod's own init containers that start before the
// broker: it is the first of all, so that the others have credentials, unless its
// network comes with one of them. That is so of a mesh's proxy that is a native sidecar,
// and of what the pod or the installation names.
func (pl *planner) brokerPlace(own []podContainer) int {
	place := 0
	for i := range own {
		c := &own[i]
		proxy := c.native() && slices.ContainsFunc(meshes, func(m mesh) bool { return m.proxy == c.Name })
		if proxy || slices.Contains(pl.answer.BrokerAfter, c.Name) || slices.Contains(pl.settings.Broker.After, c.Name) {
			place = i + 1
		}
	}
	return place
}

// findEarly finds the init containers that start before the broker.
func (pl *planner) findEarly() {
	own := slices.DeleteFunc(slices.Clone(pl.pod.Spec.InitContainers), func(c podContainer) bool { return pl.ours(c.Name) })
	pl.place = pl.brokerPlace(own)
	for _, c := range own[:pl.place] {
		if pl.early == nil {
			pl.early = map[string]bool{}
		}
		pl.early[c.Name] = true
	}
}

// checkPlace warns of a network that comes too late for the broker, and of names that
// say nothing. With the former a strict start would wait for what cannot come: the
// containers start when the init containers are done, and the broker is one.
func (pl *planner) checkPlace() {
	if late, fix := pl.lateNetwork(); late != "" {
		pl.answer.StrictStart = false
		pl.warn(serviceaccount.Problem{
			Code: codeLateNetwork, Where: pl.whereContainer(late),
			Message: "the pod's network comes with this container, which starts after all init containers and so after the broker: the pod starts some seconds later, its init containers have no credentials, and podpass.io/strict-start is not in force",
			Fix:     fix,
		})
	}
	for _, name := range pl.answer.BrokerAfter {
		if named(pl.pod.Spec.InitContainers, name) < 0 && named(pl.pod.Spec.Containers, name) < 0 {
			pl.warn(serviceaccount.Problem{
				Code: codeUnknownAfter, Where: pl.where() + " " + serviceaccount.KeyBrokerAfter, Value: name, Message: "names a container that the pod does not have",
				Fix: "correct the name; nothing needs to be done if another webhook adds that container",
			})
		}
	}
}

// lateNetwork is the name of the container that the network comes with, if the broker
// cannot start after it, and what helps.
func (pl *planner) lateNetwork() (name, fix string) {
	s := pl.pod.Spec
	for _, m := range meshes {
		checked := slices.ContainsFunc(m.checks, func(name string) bool { return named(s.InitContainers, name) >= 0 })
		if checked && named(s.Containers, m.proxy) >= 0 && !pl.outside(m) {
			return m.proxy, "let " + m.name + " run its proxy as a native sidecar, or leave the broker's traffic out of the mesh: see docs/meshes.md"
		}
	}
	for _, name := range slices.Concat(pl.answer.BrokerAfter, pl.settings.Broker.After) {
		if named(s.Containers, name) >= 0 && !meshContainer(name) {
			return name, "make it a native sidecar: an init container with restartPolicy Always"
		}
	}
	return "", ""
}

// outside reports whether the broker's traffic does not go through the mesh.
func (pl *planner) outside(m mesh) bool {
	user := pl.settings.Broker.user()
	return user != nil && *user == m.user || excludesPort(pl.pod.Metadata.Annotations[m.exclude], 443)
}

// excludesPort reports whether a list of ports, and of ranges of them, has one.
func excludesPort(list string, port int) bool {
	for item := range strings.SplitSeq(list, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(item), "-")
		if !ok {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil && first <= port && port <= last {
			return true
		}
	}
	return false
}

// tooEarly gives what an init container gets that starts before the broker: nothing that
// leads to it, since it may wait there for ever. It is warned of once, unless it is a
// mesh's. Nor may it take the node's role instead.
func (pl *planner) tooEarly(d *delivery, at place, c *podContainer) []envVar {
	if meshContainer(c.Name) {
		return nil
	}
	where := pl.whereContainer(c.Name)
	if !slices.ContainsFunc(pl.warnings, func(p serviceaccount.Problem) bool { return p.Code == codeEarlyContainer && p.Where == where }) {
		pl.warn(serviceaccount.Problem{
			Code: codeEarlyContainer, Where: where,
			Message: "the container starts before the broker, which has no network until then, and so gets no credentials",
			Fix:     "move it behind the container that the network comes with, or name it in podpass.io/skip-containers if it needs no identity",
		})
	}
	return pl.leave(d, at, c)
}
