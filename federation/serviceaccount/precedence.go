package serviceaccount

import (
	"slices"
	"strconv"
	"strings"
)

// onPod, onServiceAccount and inMapping read a key from one place; unset where the
// key does not belong there.
func (r *resolver) onPod(key string) value {
	text, ok := r.req.PodAnnotations[key]
	text = strings.TrimSpace(text)
	if k, _ := keyOf(key); !ok || !k.onPod() || text == "" && mayBeEmpty(key) {
		return value{}
	}
	return value{key: key, where: "pod annotation " + key, text: text, set: true}
}

func (r *resolver) onServiceAccount(key string) value {
	text, ok := r.req.Annotations[key]
	text = strings.TrimSpace(text)
	if k, _ := keyOf(key); !ok || !k.OnServiceAccount() || text == "" && mayBeEmpty(key) {
		return value{}
	}
	return value{key: key, where: r.account + " annotation " + key, text: text, set: true}
}

// inMapping gives nothing about a cloud in which the ServiceAccount itself names an
// identity: half of one and half of another would be an identity that nobody chose.
func (r *resolver) inMapping(key string) value {
	text, ok := r.mapped[key]
	text = strings.TrimSpace(text)
	if !ok || r.names(cloudOf(key)) || text == "" && mayBeEmpty(key) {
		return value{}
	}
	return value{key: key, where: sourceMapping + " for " + r.account + ": " + key, text: text, set: true, mapped: true}
}

// ranked is what is set of the keys, the strongest first: the pod's annotations,
// the ServiceAccount's, the mapping's, and in each place in the order of keys.
func (r *resolver) ranked(keys ...string) []value {
	var found []value
	for _, read := range [...]func(*resolver, string) value{(*resolver).onPod, (*resolver).onServiceAccount, (*resolver).inMapping} {
		for _, k := range keys {
			if v := read(r, k); v.set {
				found = append(found, v)
			}
		}
	}
	return found
}

// lookup is the strongest value of a key.
func (r *resolver) lookup(key string) value {
	for _, v := range r.ranked(key) {
		return v
	}
	return value{}
}

// agreed is the value of annotations that mean the same: they may all be set, but
// must then not differ. canonical makes what is the same look the same.
func (r *resolver) agreed(canonical func(string) string, keys ...string) value {
	var found value
	for _, v := range r.ranked(keys...) {
		switch {
		case !found.set:
			found = v
		case v.mapped != found.mapped: // the ServiceAccount's own wins
		case canonical(found.text) != canonical(v.text):
			r.fail(CodeContradiction, v, "contradicts "+found.where+" "+strconv.Quote(quote(found.text)), "keep one of the two, or give both the same value")
			return value{}
		}
	}
	return found
}

func verbatim(s string) string { return s }

type cloud int

const (
	noCloud cloud = iota
	cloudAWS
	cloudGCP
	cloudAzure
	cloudOIDC
	cloudKube
)

// podpassPrefix is of podpass's own vocabulary, which is about all clouds.
const podpassPrefix = "podpass.io/"

// vocabularies are the prefixes of the keys that are looked at. The chart's
// validation of ServiceAccounts has the same list.
var vocabularies = [...]struct {
	prefix string
	cloud  cloud
}{
	{podpassPrefix, noCloud},
	{"eks.amazonaws.com/", cloudAWS},
	{"azure.workload.identity/", cloudAzure},
	{"cloud.google.com/", cloudGCP},
	{"iam.gke.io/", cloudGCP},
}

// vocabulary reports whether a key is of one of the vocabularies.
func vocabulary(key string) bool {
	for i := range vocabularies {
		if strings.HasPrefix(key, vocabularies[i].prefix) {
			return true
		}
	}
	return false
}

// cloudOf is the cloud that a key is about.
func cloudOf(key string) cloud {
	if own, ok := strings.CutPrefix(key, podpassPrefix); ok {
		switch name, _, _ := strings.Cut(own, "-"); name {
		case "aws":
			return cloudAWS
		case "gcp":
			return cloudGCP
		case "azure":
			return cloudAzure
		case "oidc":
			return cloudOIDC
		case "kube":
			return cloudKube
		}
		return noCloud
	}
	for _, v := range vocabularies {
		if strings.HasPrefix(key, v.prefix) {
			return v.cloud
		}
	}
	return noCloud
}

// naming are the keys that name an identity.
func (c cloud) naming() []string {
	switch c {
	case cloudAWS:
		return []string{KeyAWSRoleARN, KeyEKSRoleARN}
	case cloudGCP:
		return []string{KeyGCPProvider, KeyGoogleProvider, KeyGCPServiceAccount, KeyGoogleServiceAccount, KeyGKEServiceAccount}
	case cloudAzure:
		return []string{KeyAzureClientID, KeyAzureWIClientID}
	case cloudOIDC:
		return []string{KeyOIDCAudiences, KeyOIDCTokenSources}
	case cloudKube:
		return []string{KeyKubeClusters}
	default:
		return nil
	}
}

// names reports whether the ServiceAccount itself names an identity in the cloud.
func (r *resolver) names(c cloud) bool {
	if c == cloudAzure && r.req.Labels[KeyAzureWIClientID] != "" {
		return true
	}
	return slices.ContainsFunc(c.naming(), func(key string) bool { return strings.TrimSpace(r.req.Annotations[key]) != "" })
}

// mayBeEmpty reports whether an empty annotation is none, instead of a bad value:
// charts render role-arn: "" for whoever sets no role, and the clouds' own webhooks
// let these pods start. That the proxy's is there is what counts for its webhook.
func mayBeEmpty(key string) bool {
	if !strings.HasPrefix(key, podpassPrefix) {
		return key != KeyAzureWIProxy
	}
	return key == KeyAzureTenantID || slices.Contains(cloudOf(key).naming(), key)
}
