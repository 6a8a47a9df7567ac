package inject

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// ProxySettings are the broker's way out, where the clouds are only reached through a
// proxy. Names as in the environment, to which they go: HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
type ProxySettings struct {
	// HTTP and HTTPS are URLs of proxies, by the scheme of what is asked for. The clouds
	// are all https.
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	// No is a list of hosts, domains (".corp.example") and networks, separated by commas,
	// that are reached without a proxy. Loopback always is.
	No string `json:"no,omitempty"`
	// NoUnquoted is No of a file in which its name has no quotes: YAML 1.1 reads that as
	// false.
	NoUnquoted string `json:"false,omitempty"`
}

func (p ProxySettings) exclusions() string { return cmp.Or(p.No, p.NoUnquoted) }

// NoProxyPattern is a list of hosts, domains and networks: printable, without blanks and
// semicolons.
const NoProxyPattern = `^[!-:<-~]*$`

var noProxyPattern = regexp.MustCompile(NoProxyPattern)

// validate reports what Go's HTTP client does not take, which would only show in every
// pod. Its errors do not repeat the value, which may have a password.
func (p ProxySettings) validate() []error {
	var errs []error
	for name, text := range map[string]string{"http": p.HTTP, "https": p.HTTPS} {
		if text == "" {
			continue
		}
		if err := endpoint.CheckProxy(text); err != nil {
			errs = append(errs, fmt.Errorf("broker.proxy.%s: %w", name, err))
		}
	}
	if !noProxyPattern.MatchString(p.exclusions()) {
		errs = append(errs, errors.New("broker.proxy.no: want hosts, domains and networks, separated by commas alone"))
	}
	return errs
}

// env is the sidecar's; the broker's HTTP client reads it.
func (p ProxySettings) env() []envVar {
	return withValues(literal("HTTP_PROXY", p.HTTP), literal("HTTPS_PROXY", p.HTTPS), literal("NO_PROXY", p.exclusions()))
}

var cloudProxies = []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}

// checkProxy warns of a container that reaches the clouds through a proxy, beside a
// broker that has none: it has the container's network, and so is likely to need it too.
func (pl *planner) checkProxy(c *podContainer) {
	if pl.settings.Broker.Proxy.HTTPS != "" {
		return
	}
	where := pl.whereContainer(c.Name)
	if at := slices.IndexFunc(cloudProxies, c.hasEnv); at >= 0 {
		where += " variable " + cloudProxies[at]
	} else if at := slices.IndexFunc(c.EnvFrom, podEnvFrom.namesProxy); at >= 0 {
		where += " envFrom " + c.EnvFrom[at].name()
	} else {
		return
	}
	pl.warnOnce(serviceaccount.Problem{
		Code: codeProxy, Where: where,
		Message: "the container reaches the network through a proxy, and the broker does not: where there is no other way out it gets no credentials",
		Fix:     "ask the administrator for the chart value broker.proxy.https; nothing needs to be done if the clouds are reached without a proxy too",
	})
}

func (e podEnvFrom) name() string {
	switch {
	case e.ConfigMapRef != nil:
		return e.ConfigMapRef.Name
	case e.SecretRef != nil:
		return e.SecretRef.Name
	}
	return ""
}

// namesProxy reports whether a source of variables is called after a proxy.
func (e podEnvFrom) namesProxy() bool { return strings.Contains(strings.ToLower(e.name()), "proxy") }

var proxyVariables = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}

func setsProxy(c *podContainer) bool { return slices.ContainsFunc(proxyVariables, c.hasEnv) }

// mayHaveProxy reports whether an envFrom of the container may set a proxy, which cannot
// be seen. They are kept in ConfigMaps, of any name; a Secret is only suspected where it
// is called so, or where the pod or the installation has a proxy otherwise.
func (pl *planner) mayHaveProxy(c *podContainer) bool {
	return slices.ContainsFunc(c.EnvFrom, func(e podEnvFrom) bool { return pl.proxied || e.ConfigMapRef != nil || e.namesProxy() })
}

// hasProxy reports whether the installation, or a container of the pod, has a proxy.
func (pl *planner) hasProxy() bool {
	for _, c := range pl.containers() {
		if setsProxy(c) {
			return true
		}
	}
	return pl.settings.Broker.Proxy != (ProxySettings{})
}

const loopback = "127.0.0.1"

// noProxy keeps requests to the broker away from a proxy that the container has:
// Python's and Node's clients would send them through it. Both spellings are set,
// since clients read one or the other; the one that is missing repeats the one that
// is there, for a client that prefers it must not lose what the other excludes.
func (pl *planner) noProxy(c *podContainer) []envVar {
	if !setsProxy(c) && !pl.mayHaveProxy(c) {
		return nil
	}
	var list []envVar
	for _, pair := range [][2]string{{"NO_PROXY", "no_proxy"}, {"no_proxy", "NO_PROXY"}} {
		name, other := pair[0], pair[1]
		have, _ := c.env(name)
		theirs, _ := c.env(other)
		switch {
		case c.hasEnv(name) && excludesLoopback(have.Value):
		case c.hasEnv(name):
			// By reference, so that a value from a ConfigMap is extended too.
			list = append(list, envVar{Name: name, Value: "$(" + name + ")," + loopback})
		case strings.TrimSpace(theirs.Value) == "*":
			list = append(list, envVar{Name: name, Value: "*"})
		case len(c.EnvFrom) > 0:
			// What an envFrom sets is there for a reference; one to what nothing sets stays as
			// it stands, and is the name of no host.
			list = append(list, envVar{Name: name, Value: "$(" + name + "),$(" + other + ")," + loopback})
		case c.hasEnv(other):
			list = append(list, envVar{Name: name, Value: "$(" + other + ")," + loopback})
		default:
			list = append(list, envVar{Name: name, Value: loopback})
		}
	}
	return list
}

// excludesLoopback reports whether a NO_PROXY list names 127.0.0.1, in the one way
// that all clients read: Node's know no networks. A lone "*" has to stay alone, or
// curl and Python no longer take it for everything.
func excludesLoopback(list string) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for item := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(item) == "127.0.0.1" {
			return true
		}
	}
	return false
}
