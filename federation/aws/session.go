package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/podpass-io/podpass/federation"
)

// maxSessionName is STS's limit for RoleSessionName; the shortest is 2.
const maxSessionName = 64

// SessionName is the RoleSessionName of a pod: <namespace>.<ServiceAccount>.<pod>, of
// what is not empty. It stays the same for the pod's whole life, which MSK's
// authorization and people who read CloudTrail depend on. One that is too long is cut
// and given a hash, so that two long names do not become one.
func SessionName(namespace, serviceAccount, pod string) string {
	parts := slices.DeleteFunc([]string{namespace, serviceAccount, pod}, func(s string) bool { return s == "" })
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r) {
			return r
		}
		return '-'
	}, strings.Join(parts, "."))
	switch {
	case len(name) < 2:
		return "podpass-" + name
	case len(name) <= maxSessionName:
		return name
	}
	sum := sha256.Sum256([]byte(name))
	suffix := "-" + hex.EncodeToString(sum[:4])
	return name[:maxSessionName-len(suffix)] + suffix
}

// sessionName is the annotated one, or that of the token's pod.
func sessionName(i Identity, c federation.Claims) string {
	switch {
	case i.SessionName != "":
		return i.SessionName
	case c.Namespace == "": // no ServiceAccount's
		return SessionName("", c.Subject, "")
	}
	return SessionName(c.Namespace, c.ServiceAccount, c.Pod)
}

// sessionTags are the tags that EKS Pod Identity sets, from the token's own claims
// and the installation. A pod's namespace is not the application's to choose, so a
// policy may rely on them. All are transitive: the application cannot shed them by
// assuming a role from there. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
func sessionTags(i Identity, c federation.Claims) (tags []types.Tag, transitive []string) {
	for _, t := range []struct{ key, value string }{
		{"eks-cluster-arn", i.ClusterARN},
		{"eks-cluster-name", i.ClusterName},
		{"kubernetes-namespace", c.Namespace},
		{"kubernetes-service-account", c.ServiceAccount},
		{"kubernetes-pod-name", c.Pod},
		{"kubernetes-pod-uid", c.PodUID},
	} {
		if t.value != "" {
			tags, transitive = append(tags, types.Tag{Key: &t.key, Value: &t.value}), append(transitive, t.key)
		}
	}
	return tags, transitive
}

// ValidTag reports whether s can be the value of a session tag: at most 256 letters,
// numbers, spaces and some marks. (As a pattern it costs 10 MiB: each of the 256 is
// a state of its own with all letters of Unicode.)
func ValidTag(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+@-", r) {
			return false
		}
	}
	return s != "" && utf8.RuneCountInString(s) <= 256
}
