package serviceaccount

import (
	"path"
	"strings"
)

// Defaults of an installation.
const (
	DefaultTokenExpiration = 3600
	DefaultBrokerPort      = 9911
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
	a := Answer{BrokerPort: in.BrokerPort, StaticKeys: in.StaticKeys}
	if a.BrokerPort == 0 {
		a.BrokerPort = DefaultBrokerPort
	}
	if a.StaticKeys == "" {
		a.StaticKeys = StaticKeysWarn
	}
	_, skip := req.PodLabels[KeyEKSSkip]
	if skip || req.PodLabels[KeyInject] == "false" {
		return Answer{OptedOut: true, BrokerPort: a.BrokerPort, StaticKeys: a.StaticKeys}
	}
	a.OptedIn = req.PodLabels[KeyInject] == "true" || req.PodLabels[KeyAzureWIUse] == "true"
	mapped := in.mapping(req)
	if !a.OptedIn && mapped == nil && !concerned(req.Annotations) && !concerned(req.Labels) && !concerned(req.PodAnnotations) && req.PodLabels[KeyInject] == "" {
		return a
	}
	r := &resolver{req: req, in: in, mapped: mapped, answer: a}
	r.resolve()
	return r.answer
}

// prefixes of the vocabularies.
var prefixes = [...]string{"podpass.io/", "eks.amazonaws.com/", "azure.workload.identity/", "cloud.google.com/", "iam.gke.io/"}

func concerned(m map[string]string) bool {
	for k := range m {
		for _, p := range prefixes {
			if strings.HasPrefix(k, p) {
				return true
			}
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
	answer Answer
}

func (r *resolver) resolve() {
	r.checkValues()
	r.pod()
	r.aws()
	r.gcp()
	r.azure()
	if v := r.lookup(KeyOIDCAudiences); v.set {
		r.fail(CodeUnsupported, v, "tokens for other audiences are not served by this version of podpass", "remove the annotation")
	}
	if r.answer.OptedIn && r.answer.Empty() && len(r.answer.Errors) == 0 {
		r.warn(CodeNoIdentity, value{where: r.serviceAccount()}, "the pod opts in, but its ServiceAccount asks for no identity",
			"annotate it, for example with "+KeyEKSRoleARN+", "+KeyGCPServiceAccount+" or "+KeyAzureWIClientID)
	}
	if len(r.answer.Errors) > 0 {
		r.answer.AWS, r.answer.GCP, r.answer.Azure = nil, nil, nil
	}
}

// pod reads what is not about one cloud.
func (r *resolver) pod() {
	a := &r.answer
	switch v := r.req.PodLabels[KeyInject]; v {
	case "", "true", "false":
	default:
		r.fail(CodeInject, value{where: "pod label " + KeyInject, text: v, set: true}, "is neither true nor false", "set it to \"true\" or \"false\", or remove it")
	}
	for _, key := range []string{KeySkipContainers, KeyEKSSkipContainers, KeyAzureWISkipContainers, KeyGoogleSkipContainers} {
		for name := range strings.FieldsFuncSeq(r.req.PodAnnotations[key], func(c rune) bool { return c == ',' || c == ';' }) {
			if name = strings.TrimSpace(name); name != "" {
				a.SkipContainers = append(a.SkipContainers, name)
			}
		}
	}
	for _, key := range []string{KeyAzureWIProxyPort, KeyBrokerPort} { // podpass's own last: it wins
		if v := r.podAnnotation(key); v.set {
			a.BrokerPort = int(r.number(v, 1024, 65535, int64(a.BrokerPort)))
		}
	}
	if v := r.either(KeyStaticKeys); v.set {
		switch s := StaticKeys(v.text); s {
		case StaticKeysWarn, StaticKeysOverride, StaticKeysDeny:
			a.StaticKeys = s
		default:
			r.fail(CodeChoice, v, "is none of warn, override, deny", "choose one of them, or remove the annotation")
		}
	}
}

// mode is how one cloud is delivered, the cloud's own wish being what its own
// vocabulary says; "" if nothing.
func (r *resolver) mode(cloudsOwn Mode) Mode {
	if v := r.either(KeyMode); v.set {
		switch m := Mode(v.text); m {
		case ModeBroker, ModeDirect:
			return m
		default:
			r.failOnce(CodeChoice, v, "is neither broker nor direct", "choose one of them, or remove the annotation")
		}
	}
	switch {
	case cloudsOwn != "":
		return cloudsOwn
	case r.in.Mode != "":
		return r.in.Mode
	}
	return ModeBroker
}

// expiration is the life of a subject token: podpass's key on the pod, the
// cloud's on the pod, then the same two on the ServiceAccount.
func (r *resolver) expiration(cloudKey string, least int64) int64 {
	standard := r.in.TokenExpiration
	if standard == 0 {
		standard = DefaultTokenExpiration
	}
	for _, v := range []value{r.podAnnotation(KeyTokenExpiration), r.podAnnotation(cloudKey), r.lookup(KeyTokenExpiration), r.lookup(cloudKey)} {
		if v.set {
			floor := int64(600)
			if strings.HasSuffix(v.where, cloudKey) {
				floor = least
			}
			return r.number(v, floor, 86400, standard)
		}
	}
	return standard
}

// Brokered gives the identities that the broker serves: its configuration.
func (a Answer) Brokered() Identities {
	var i Identities
	if a.AWS != nil && a.AWS.Mode == ModeBroker {
		i.AWS = &a.AWS.Identity
	}
	if a.GCP != nil && a.GCP.Mode == ModeBroker {
		i.GCP = &a.GCP.Identity
	}
	if a.Azure != nil && a.Azure.Mode == ModeBroker {
		i.Azure = &a.Azure.Identity
	}
	return i
}
