package gcptrust

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// principal is whom IAM takes the bearer of a federated token for.
type principal struct {
	// pool is "projects/<number>/locations/global/workloadIdentityPools/<pool>"; of a GKE
	// cluster or a fleet it is "<project>.svc.id.goog". Empty: no provider was given, and
	// the token may come through any pool.
	pool string
	mapped
	// namespace and account are those of a pool of Google's own.
	namespace, account string
	// issuer is a GKE cluster.
	issuer string
}

// gke reports whether the pool is one that Google makes for clusters of a project.
func (p principal) gke() bool { return strings.HasSuffix(p.pool, googlePool) }

const googlePool = ".svc.id.goog"

const (
	onePrincipal = "principal:" + resource
	setOf        = "principalSet:" + resource
)

// Name is the member that stands for the principal alone.
func (p principal) name() string {
	if p.gke() {
		return "serviceAccount:" + p.pool + "[" + p.namespace + "/" + p.account + "]"
	}
	return onePrincipal + cmp.Or(p.pool, anyPool) + "/subject/" + p.subject
}

// anyPool stands for a pool that nobody has named.
const anyPool = "projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL"

// paths are what may follow the pool in a member that stands for the principal, the
// narrowest first.
// https://cloud.google.com/iam/docs/principal-identifiers
func (p principal) paths() []string {
	if p.gke() {
		return []string{"subject/ns/" + p.namespace + "/sa/" + p.account, "namespace/" + p.namespace, "kubernetes.cluster/" + p.issuer, "*"}
	}
	list := []string{"subject/" + p.subject}
	for _, key := range slices.Sorted(maps.Keys(p.custom)) {
		list = append(list, keyCustom+key+"/"+p.custom[key])
	}
	for _, group := range p.groups {
		list = append(list, "group/"+group)
	}
	return append(list, "*")
}

// member is a member of a binding that is about a workload identity pool.
type member struct {
	text string
	// set: it is written as a principalSet.
	set bool
	// pool is its resource name; project and id are parts of it.
	pool, project, id string
	// path is what follows the pool: "subject/...", "attribute.x/y", "*".
	path string
}

var memberPattern = regexp.MustCompile(`^(principal|principalSet)://iam\.googleapis\.com/(projects/([^/]+)/locations/[^/]+/workloadIdentityPools/([^/]+))/(.+)$`)

func parseMember(s string) (member, bool) {
	parts := memberPattern.FindStringSubmatch(s)
	if parts == nil {
		return member{text: s}, false
	}
	return member{text: s, set: parts[1] == "principalSet", pool: parts[2], project: parts[3], id: parts[4], path: parts[5]}, true
}

// well reports whether the member's scheme is the one that IAM reads its path under: one
// subject is a principal, all else a principalSet.
func (m member) well() bool { return m.set != strings.HasPrefix(m.path, "subject/") }

// stands reports whether a member stands for the principal.
func (p principal) stands(text string) bool {
	if text == "allUsers" || p.gke() && text == p.name() {
		return true
	}
	m, ok := parseMember(text)
	if !ok || !m.well() || !slices.Contains(p.paths(), m.path) {
		return false
	}
	switch {
	case p.pool == "":
		return digits.MatchString(m.project)
	case p.gke():
		return m.id == p.pool && digits.MatchString(m.project)
	}
	return m.pool == p.pool
}

var digits = regexp.MustCompile(`^\d+$`)

// whole reports whether a member stands for everybody in a pool, or everybody at all.
func whole(text string) bool {
	m, ok := parseMember(text)
	return text == "allUsers" || ok && m.path == "*"
}
