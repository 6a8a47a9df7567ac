package doctor

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// The webhook's own codes of static keys, admitted and denied, and of Secrets that may
// hold some: the same containers are told here, with the variables and where they come
// from.
const (
	webhookKeys       = "WI051"
	webhookKeysDenied = "WI052"
	webhookSecret     = "WI053"
)

var staticKeyCodes = []string{webhookKeys, webhookKeysDenied, webhookSecret}

// keys finds static keys in the way of the pod's identities: by the planner's judgement
// of each container, so that what podpass itself has put there, and what it overrides, is
// none.
func keys(p *pod) []found {
	var out []found
	for _, problem := range slices.Concat(p.plan.Errors, p.plan.Warnings) {
		switch problem.Code {
		case webhookKeys, webhookKeysDenied:
			for _, name := range strings.Split(problem.Value, ", ") {
				out = append(out, p.key(problem, name))
			}
		case webhookSecret:
			out = append(out, p.found(codeKeySecret, finding.Warning, "a container takes its variables from a Secret that, by its name, may hold static keys; podpass does not read Secrets",
				"", "envFrom Secret "+problem.Value, problem.Fix))
		}
	}
	return out
}

// key is about one variable.
func (p *pod) key(problem serviceaccount.Problem, name string) found {
	_, container, _ := strings.Cut(problem.Where, " container ")
	f := p.found(codeKey, finding.Error, "a static key is set, which SDKs prefer to the ServiceAccount's identity", "", name+" "+p.origin(container, name),
		"remove the variable, then delete the key at the cloud; until then annotate the pod with podpass.io/static-keys: override")
	if slices.ContainsFunc(environ.Variables(), func(v environ.Variable) bool { return v.Name == name && v.Meaning == environ.KeyFile }) {
		f.Code, f.Severity = codeKeyFile, finding.Warning
		f.Message = "a variable names a file, which holds a static key nearly always; SDKs prefer it to the ServiceAccount's identity"
	}
	if problem.Code == webhookKeysDenied {
		f.Fix = "remove the variable, then delete the key at the cloud: the pod is denied when it is created again"
	}
	f.Where += " container " + container
	return f
}

// origin says where a variable's value comes from: never the value, which may be the key.
func (p *pod) origin(container, name string) string {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		for _, e := range slices.Backward(c.Env) {
			if c.Name != container || e.Name != name {
				continue
			}
			switch from := e.ValueFrom; {
			case from == nil:
				return "in the manifest itself"
			case from.SecretKeyRef != nil:
				return "from Secret " + from.SecretKeyRef.Name + " key " + from.SecretKeyRef.Key
			case from.ConfigMapKeyRef != nil:
				return "from ConfigMap " + from.ConfigMapKeyRef.Name + " key " + from.ConfigMapKeyRef.Key
			}
		}
	}
	return "from elsewhere"
}
