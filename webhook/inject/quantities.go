package inject

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Resources are quantities by resource name, as in a container. An empty one is none:
// what would be there by default is left out.
type Resources struct {
	Requests Quantities `json:"requests,omitempty"`
	Limits   Quantities `json:"limits,omitempty"`
}

// Quantities are texts by resource name. In YAML they may be numbers: cpu: 1.
type Quantities map[string]string

// UnmarshalJSON implements json.Unmarshaler.
func (q *Quantities) UnmarshalJSON(b []byte) error {
	var list map[string]quantity
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*q = Quantities{}
	for name, text := range list {
		(*q)[name] = string(text)
	}
	return nil
}

// NamespaceResources are those of the broker in the namespaces that match a glob
// (path.Match).
type NamespaceResources struct {
	Namespace string    `json:"namespace"`
	Resources Resources `json:"resources"`
}

// QuantityPattern is a quantity that is no less than nothing, as people write them.
// Kubernetes' own notation has exponents, of which 1e999999999 would be computed.
const QuantityPattern = `^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`

var quantityPattern = regexp.MustCompile(QuantityPattern)

// LeastMemory is the least limit of the broker's memory: it needs some 13 MiB, and with
// less it is killed in every pod. 64m is a mistake for 64Mi, and less than a byte.
const LeastMemory = "16Mi"

// ResourceNames are those that a container of podpass's may have: Kubernetes refuses pods
// with names that it does not know.
func ResourceNames() []string { return []string{"cpu", "memory", "ephemeral-storage"} }

// DefaultResources are what the broker gets when the administrator says nothing.
// Both CPU and memory have a request and a limit because a ResourceQuota on any
// of the four makes Kubernetes refuse containers that lack it. It never demands
// ephemeral-storage, of which the broker uses none. The memory limit is several
// times what the broker needs for three clouds; the CPU limit lets it start, with
// a TLS handshake a cloud, without being throttled for long.
func DefaultResources() Resources {
	return Resources{
		Requests: map[string]string{"cpu": "5m", "memory": "16Mi"},
		Limits:   map[string]string{"cpu": "200m", "memory": "64Mi"},
	}
}

// over is base with what r says. Where r moves one of request and limit past the
// other, which it leaves out, that one follows.
func (r Resources) over(base Resources) Resources {
	merged := Resources{Requests: map[string]string{}, Limits: map[string]string{}}
	for _, from := range []Resources{base, r} {
		maps.Copy(merged.Requests, from.Requests)
		maps.Copy(merged.Limits, from.Limits)
	}
	none := func(_, text string) bool { return text == "" }
	maps.DeleteFunc(merged.Requests, none)
	maps.DeleteFunc(merged.Limits, none)
	for name, request := range merged.Requests {
		limit, ok := merged.Limits[name]
		if !ok || compare(request, limit) <= 0 {
			continue
		}
		if _, ours := r.Limits[name]; ours {
			merged.Requests[name] = limit
		} else {
			merged.Limits[name] = request
		}
	}
	return merged
}

// compare compares quantities that have been validated.
func compare(a, b string) int {
	qa, errA := resource.ParseQuantity(a)
	qb, errB := resource.ParseQuantity(b)
	if errA != nil || errB != nil {
		return 0
	}
	return qa.Cmp(qb)
}

// resources are the broker's in a namespace.
func (b BrokerSettings) resources(namespace string) Resources {
	r := b.Resources.over(DefaultResources())
	for _, n := range b.NamespaceResources {
		if ok, _ := path.Match(n.Namespace, namespace); ok { // Validate has refused malformed globs
			return n.Resources.over(r)
		}
	}
	return r
}

var globPattern = regexp.MustCompile(serviceaccount.GlobPattern)

func (b BrokerSettings) validateResources() []error {
	errs := b.Resources.validate("broker.resources")
	for i, n := range b.NamespaceResources {
		at := fmt.Sprintf("broker.namespaceResources[%d]", i)
		if !globPattern.MatchString(n.Namespace) {
			errs = append(errs, fmt.Errorf("%s.namespace: %q is no glob of names: want one like batch-*", at, n.Namespace))
		}
		errs = append(errs, n.Resources.validate(at+".resources")...)
	}
	return errs
}

func (r Resources) validate(at string) []error {
	var errs []error
	parsed := map[string]map[string]resource.Quantity{}
	for kind, list := range map[string]map[string]string{"requests": r.Requests, "limits": r.Limits} {
		parsed[kind] = map[string]resource.Quantity{}
		for name, text := range list {
			if text == "" {
				continue
			}
			if !slices.Contains(ResourceNames(), name) {
				errs = append(errs, fmt.Errorf("%s.%s.%s: not a resource of the broker: want cpu, memory or ephemeral-storage", at, kind, name))
				continue
			}
			q, err := resource.ParseQuantity(text)
			if err != nil || !quantityPattern.MatchString(text) {
				errs = append(errs, fmt.Errorf("%s.%s.%s: %q is not a quantity such as 5m or 16Mi", at, kind, name, text))
				continue
			}
			parsed[kind][name] = q
		}
	}
	if limit, ok := parsed["limits"]["memory"]; ok && limit.Sign() > 0 && limit.Cmp(resource.MustParse(LeastMemory)) < 0 {
		errs = append(errs, fmt.Errorf("%s.limits.memory: %s is less than the broker needs: want at least %s", at, r.Limits["memory"], LeastMemory))
	}
	for name, request := range parsed["requests"] {
		if limit, ok := parsed["limits"][name]; ok && request.Cmp(limit) > 0 {
			errs = append(errs, fmt.Errorf("%s.requests.%s: %s is more than the limit, %s", at, name, r.Requests[name], r.Limits[name]))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errs
}

// decimal is what quantities look like that are compared as numbers. Comparing
// 1e999999999 with 1 would compute it.
var decimal = regexp.MustCompile(`^[0-9.]{1,30}([a-zA-Z]{0,2}|[eE][0-9]{1,2})$`)

// units is a quantity of a resource as a whole number: thousandths of a CPU, bytes of
// all else. false: it cannot be read.
func units(name string, text quantity) (int64, bool) {
	if !decimal.MatchString(string(text)) {
		return 0, false
	}
	q, err := resource.ParseQuantity(string(text))
	if err != nil {
		return 0, false
	}
	return unitsOf(name, q), true
}

func unitsOf(name string, q resource.Quantity) int64 {
	if name == "cpu" {
		return q.MilliValue()
	}
	return q.Value()
}

// inUnits is units back as text.
func inUnits(name string, n int64) string {
	if name == "cpu" {
		return resource.NewMilliQuantity(n, resource.DecimalSI).String()
	}
	return resource.NewQuantity(n, resource.BinarySI).String()
}
