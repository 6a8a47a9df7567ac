package serviceaccount

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is an annotation as it was found, and where.
type value struct {
	where string
	text  string
	set   bool
}

func (r *resolver) serviceAccount() string {
	return "ServiceAccount " + r.req.Namespace + "/" + r.req.Name
}

// lookup reads an annotation of the ServiceAccount, else the mapping's.
func (r *resolver) lookup(key string) value {
	if v, ok := r.req.Annotations[key]; ok {
		return value{r.serviceAccount() + " annotation " + key, strings.TrimSpace(v), true}
	}
	if v, ok := r.mapped[key]; ok && !r.namesCloudItself(key) {
		return value{"installation mapping for " + r.serviceAccount() + ": " + key, strings.TrimSpace(v), true}
	}
	return value{}
}

// namesCloudItself reports whether the ServiceAccount's own annotations name an
// identity of the cloud that key is about: the mapping then does not count for it.
func (r *resolver) namesCloudItself(key string) bool {
	for _, group := range identityKeys {
		if slices.Contains(group.all, key) {
			for _, k := range group.naming {
				if _, ok := r.req.Annotations[k]; ok {
					return true
				}
			}
		}
	}
	return false
}

// identityKeys are, by cloud, the keys that name an identity and all that belong to it.
var identityKeys = []struct{ naming, all []string }{
	{
		[]string{KeyAWSRoleARN, KeyEKSRoleARN},
		[]string{KeyAWSRoleARN, KeyEKSRoleARN, KeyEKSAudience, KeyAWSAssumeRoleARN, KeyAWSExternalID, KeyAWSSessionName, KeyAWSSessionDuration, KeyAWSSessionPolicy, KeyAWSSessionTags},
	},
	{
		[]string{KeyGCPProvider, KeyGCPServiceAccount, KeyGoogleProvider, KeyGoogleServiceAccount, KeyGKEServiceAccount},
		[]string{KeyGCPProvider, KeyGCPServiceAccount, KeyGoogleProvider, KeyGoogleServiceAccount, KeyGKEServiceAccount, KeyGoogleAudience, KeyGCPDelegates, KeyGCPProject, KeyGCPQuotaProject, KeyGCPTokenLifetime},
	},
	{
		[]string{KeyAzureClientID, KeyAzureWIClientID},
		[]string{KeyAzureClientID, KeyAzureWIClientID, KeyAzureTenantID, KeyAzureWITenantID},
	},
}

// podAnnotation reads an annotation of the pod.
func (r *resolver) podAnnotation(key string) value {
	v, ok := r.req.PodAnnotations[key]
	if !ok {
		return value{}
	}
	return value{"pod annotation " + key, strings.TrimSpace(v), true}
}

// either reads the pod's annotation, else the ServiceAccount's.
func (r *resolver) either(key string) value {
	if v := r.podAnnotation(key); v.set {
		return v
	}
	return r.lookup(key)
}

// agreed is the value of annotations that mean the same: they may all be set, but
// must then not differ.
func (r *resolver) agreed(keys ...string) value {
	var found value
	for _, k := range keys {
		v := r.lookup(k)
		if !v.set {
			continue
		}
		if found.set && found.text != v.text {
			r.fail(CodeContradiction, v, "contradicts "+found.where+" "+strconv.Quote(cut(found.text)), "keep one of the two, or give both the same value")
			return value{}
		}
		if !found.set {
			found = v
		}
	}
	return found
}

func (r *resolver) number(v value, least, most, otherwise int64) int64 {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || n < least || n > most {
		r.failOnce(CodeNumber, v, "is not a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10), "choose one in that range, or remove the annotation")
		return otherwise
	}
	return n
}

func (r *resolver) boolean(v value) bool {
	b, err := strconv.ParseBool(v.text)
	if v.set && err != nil {
		r.failOnce(CodeChoice, v, "is neither true nor false", "choose one of them, or remove the annotation")
	}
	return b
}

func (r *resolver) fail(code string, v value, message, fix string) {
	r.answer.Errors = append(r.answer.Errors, Problem{Code: code, Where: v.where, Value: cut(v.text), Message: message, Fix: fix})
}

// failOnce is fail for a value that several clouds read.
func (r *resolver) failOnce(code string, v value, message, fix string) {
	if !slices.ContainsFunc(r.answer.Errors, func(p Problem) bool { return p.Code == code && p.Where == v.where }) {
		r.fail(code, v, message, fix)
	}
}

func (r *resolver) warn(code string, v value, message, fix string) {
	r.answer.Warnings = append(r.answer.Warnings, Problem{Code: code, Where: v.where, Value: cut(v.text), Message: message, Fix: fix})
}

// cut bounds a value for messages.
func cut(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) && len(s) > most-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s + "..."
}
