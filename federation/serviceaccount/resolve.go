package serviceaccount

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// sourceMapping is the Grant.Source of an identity that the installation gives.
const sourceMapping = "installation mapping"

// Resolve says which identities a pod gets. It is pure; for the many pods whose
// ServiceAccount asks for nothing it does not allocate.
//
// Precedence for one cloud: podpass.io's annotations, then the cloud's own, then
// the installation's mapping. Where both of the first two name an identity they
// must agree: whichever won would surprise somebody.
func Resolve(req Request, in Installation) Answer {
	in = in.WithDefaults()
	a := Answer{BrokerPort: in.BrokerPort, StaticKeys: in.StaticKeys}
	_, skip := req.PodLabels[KeyEKSSkip]
	if skip || req.PodLabels[KeyInject] == "false" {
		return Answer{OptedOut: true, BrokerPort: a.BrokerPort, StaticKeys: a.StaticKeys}
	}
	a.OptedIn = req.OptedIn()
	mapped := in.mapping(req)
	if mapped == nil && !concerned(req.Annotations) && !concerned(req.Labels) && !concerned(req.PodAnnotations) && !concerned(req.PodLabels) {
		return a
	}
	r := &resolver{req: req, in: in, mapped: mapped, account: "ServiceAccount " + ClipName(req.Namespace) + "/" + ClipName(req.Name), answer: a}
	r.resolve()
	return r.answer
}

func concerned(m map[string]string) bool {
	for k := range m {
		if vocabulary(k) {
			return true
		}
	}
	return false
}

// mapping gives the annotations of the first mapping that matches; nil: none.
func (in Installation) mapping(req Request) map[string]string {
	for _, m := range in.Mappings {
		// Validate has refused malformed globs.
		ns, _ := path.Match(m.Namespace, req.Namespace)
		name, _ := path.Match(m.ServiceAccount, req.Name)
		if ns && name {
			return m.Annotations
		}
	}
	return nil
}

type resolver struct {
	req    Request
	in     Installation
	mapped map[string]string
	// account names the ServiceAccount in problems.
	account string
	answer  Answer
}

func (r *resolver) resolve() {
	r.checkValues()
	if len(r.answer.Errors) > 0 {
		return // too long to be looked at
	}
	r.pod()
	r.aws()
	r.gcp()
	r.azure()
	r.oidc()
	r.kube()
	if r.answer.OptedIn && r.answer.Empty() && len(r.answer.Errors) == 0 {
		r.warn(CodeNoIdentity, value{where: r.account}, "the pod opts in, but its ServiceAccount asks for no identity",
			"annotate it, for example with "+KeyEKSRoleARN+", "+KeyGCPServiceAccount+" or "+KeyAzureWIClientID)
	}
	if len(r.answer.Errors) > 0 {
		r.answer.AWS, r.answer.GCP, r.answer.Azure, r.answer.OIDC, r.answer.Kube = nil, nil, nil, nil, nil
	}
}

// pod reads what is not about one cloud.
func (r *resolver) pod() {
	a := &r.answer
	if v, ok := r.req.PodLabels[KeyInject]; ok && v != "true" { // "false" is dealt with
		r.fail(CodeInject, value{where: "pod label " + KeyInject, text: v}, "is neither true nor false", "set it to \"true\" or \"false\", or remove it")
	}
	for _, key := range []string{KeySkipContainers, KeyEKSSkipContainers, KeyAzureWISkipContainers, KeyGoogleSkipContainers} {
		a.SkipContainers = append(a.SkipContainers, names(r.req.PodAnnotations[key])...)
	}
	a.BrokerAfter = names(r.lookup(KeyBrokerAfter).text)
	for _, v := range slices.Backward(r.ranked(KeyBrokerPort, KeyAzureWIProxyPort)) { // the strongest last
		a.BrokerPort = cmp.Or(int(r.number(v, 1024, 65535)), a.BrokerPort)
	}
	for _, v := range slices.Backward(r.ranked(KeyBrokerResources)) { // the strongest last
		r.brokerResources(v)
	}
	if v := r.lookup(KeyStrictStart); v.set {
		a.StrictStart = r.boolean(v)
	}
	if v := r.lookup(KeyStaticKeys); v.set {
		switch s := StaticKeys(v.text); s {
		case StaticKeysWarn, StaticKeysOverride, StaticKeysDeny:
			a.StaticKeys = s
		default:
			r.fail(CodeChoice, v, "is none of warn, override, deny", "choose one of them, or remove the annotation")
		}
	}
}

// names are those of containers, separated by commas or semicolons.
func names(text string) []string {
	var list []string
	for name := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || c == ';' }) {
		// Quoted, as CSV may be: no container's name has a quote in it.
		if name = strings.Trim(name, " \t\r\n\""); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// mode is how one cloud is delivered; cloudKey is the key of the cloud's own
// vocabulary that says so too, or "". Each that is set is checked, the strongest counts.
func (r *resolver) mode(cloudKey string) Mode {
	var chosen Mode
	for _, v := range r.ranked(KeyMode, cloudKey) {
		chosen = cmp.Or(chosen, r.parseMode(v))
	}
	return cmp.Or(chosen, r.in.Mode)
}

func (r *resolver) parseMode(v value) Mode {
	switch v.key {
	case KeyGoogleInjectionMode:
		return r.googleMode(v)
	case KeyAzureWIProxy:
		return r.azureMode(v)
	}
	switch m := Mode(v.text); m {
	case ModeBroker, ModeDirect:
		return m
	}
	r.failOnce(CodeChoice, v, "is neither broker nor direct", "choose one of them, or remove the annotation")
	return ""
}

// expiration is the life of a subject token, by podpass's key or the cloud's own,
// whose values are at least least.
func (r *resolver) expiration(cloudKey string, least int64) int64 {
	var chosen int64
	for _, v := range r.ranked(KeyTokenExpiration, cloudKey) {
		floor := int64(600)
		if v.key == cloudKey {
			floor = least
		}
		chosen = cmp.Or(chosen, r.number(v, floor, 86400))
	}
	return cmp.Or(chosen, r.in.TokenExpiration)
}
