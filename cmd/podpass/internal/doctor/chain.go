package doctor

import (
	"context"
	"maps"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
)

// The links, in the order in which the first broken one should be mended.
const (
	checkCluster      = "cluster"
	checkInstallation = "installation"
	checkObjects      = "objects"
	checkIssuer       = "issuer"
	checkAccount      = "serviceaccount"
	checkAdmission    = "admission"
	checkPod          = "pod"
	checkKeys         = "static keys"
	checkToken        = "token"
	checkNetwork      = "network"
	checkExchange     = "exchange"
	checkBroker       = "broker"
	checkTrust        = "trust"
)

// check is one link: what it looks at, for whoever reads the report.
type check struct{ name, about string }

var chain = []check{
	{checkCluster, "the API server answers, and is new enough for native sidecars"},
	{checkInstallation, "the webhook's registration, CA, endpoints, replicas and settings; other webhooks of its kind"},
	{checkObjects, "what was named is there, and its pods may be created"},
	{checkIssuer, "clouds can fetch the issuer's discovery document and keys, and the key that signs is among them"},
	{checkAccount, "the ServiceAccount's annotations, read as the webhook does"},
	{checkAdmission, "a pod of the ServiceAccount comes back from a dry run with what podpass injects"},
	{checkPod, "the pod has what it would be given now"},
	{checkKeys, "static keys that SDKs would prefer to the ServiceAccount's identity"},
	{checkToken, "the cluster gives a token of exactly this ServiceAccount and audience"},
	{checkNetwork, "no NetworkPolicy keeps the pod from DNS and the clouds"},
	{checkExchange, "the clouds take the ServiceAccount's token"},
	{checkBroker, "what the pod's own broker says"},
	{checkTrust, "the documents of --trust let the token in"},
}

// names are those of checks.
func names(list []check) []string {
	var all []string
	for _, c := range list {
		all = append(all, c.name)
	}
	return all
}

// found is a finding, and the later checks of the same object that it makes pointless
// besides those that its code always does.
type found struct {
	finding.Finding
	stops []string
}

// subject is what a check looks at: the cluster, a ServiceAccount or a pod.
type subject struct {
	// group is the workload of a pod.
	group string
	// blocked are the codes for which a check is pointless, by check.
	blocked map[string][]string
}

// of is a subject that belongs to s: what blocks s blocks it too.
func (s *subject) of(group string) *subject {
	return &subject{group: group, blocked: maps.Clone(s.blocked)}
}

// result is what became of a check over all subjects.
type result struct {
	ran            int
	codes, because map[string]bool
}

// check runs a check of one subject, unless an earlier finding made it pointless. fn's
// error is no finding, and ends the run.
func (r *run) check(ctx context.Context, s *subject, name string, fn func(context.Context) ([]found, error)) error {
	if r.only != nil && !slices.Contains(r.only, name) {
		return nil
	}
	var list []found
	because := s.blocked[name]
	if len(because) == 0 {
		var err error
		if list, err = fn(ctx); err != nil {
			return err
		}
	}
	for _, f := range list {
		for _, later := range slices.Concat(pointless[f.Code], f.stops) {
			s.blocked[later] = append(s.blocked[later], f.Code)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	res := r.results[name]
	if res == nil {
		res = &result{codes: map[string]bool{}, because: map[string]bool{}}
		r.results[name] = res
	}
	if len(because) == 0 {
		res.ran++
	}
	for _, code := range because {
		res.because[code] = true
	}
	for _, f := range list {
		res.codes[f.Code] = true
		r.found = append(r.found, report.Finding{Finding: f.Finding, Group: s.group})
	}
	return nil
}

// report is the check's line; a nil result is of a check that had nothing to look at, or
// that is pointless in the whole cluster.
func (res *result) report(c check, o Options, blocked []string) report.Check {
	out := report.Check{Name: c.name, About: c.about, Result: report.NotRun}
	if res == nil && len(blocked) > 0 {
		out.Result, out.Because = report.Skipped, blocked
		return out
	}
	if res == nil {
		out.Because = []string{o.notRun(c.name)}
		return out
	}
	out.Codes, out.Because = slices.Sorted(maps.Keys(res.codes)), slices.Sorted(maps.Keys(res.because))
	switch {
	case res.ran == 0:
		out.Result = report.Skipped
	case len(out.Codes) > 0:
		out.Result = report.Found
	default:
		out.Result = report.Sound
	}
	return out
}

// notRun says why a check had nothing to look at.
func (o Options) notRun(name string) string {
	switch {
	case len(o.Only) > 0 && !slices.Contains(o.Only, name):
		return "--only leaves it out"
	case name == checkAdmission && !o.Admission:
		return "--admission asks for it"
	case name == checkExchange && !o.Exchange:
		return "--exchange asks for it"
	case name == checkBroker && !o.Explain:
		return "--explain asks for it"
	case name == checkTrust && o.Trust == nil:
		return "--trust asks for it"
	case name == checkToken && !o.Closely():
		return "name a ServiceAccount or a pod"
	}
	return "nothing to look at"
}
