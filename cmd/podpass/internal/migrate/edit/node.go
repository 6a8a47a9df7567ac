package edit

import (
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

// node is an object within the workload, and its JSON pointer.
type node struct {
	at string
	m  map[string]any
}

func unescape(token string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
}

// path is the JSON pointer of one of its members.
func (n node) path(member string) string { return workload.Below(n.at, member) }

// text is a member that is a string; else "".
func (n node) text(member string) string {
	s, _ := n.m[member].(string)
	return s
}

// object is a member that is an object; else an empty one.
func (n node) object(member string) node {
	m, _ := n.m[member].(map[string]any)
	return node{n.path(member), m}
}

// list is a member that is an array.
func (n node) list(member string) []any {
	l, _ := n.m[member].([]any)
	return l
}

// objects are the elements of an array; one that is no object is an empty one.
func (n node) objects(member string) []node {
	var nodes []node
	for i, v := range n.list(member) {
		m, _ := v.(map[string]any)
		nodes = append(nodes, node{n.path(member) + "/" + strconv.Itoa(i), m})
	}
	return nodes
}

// texts are the elements of an array; one that is no string is "".
func (n node) texts(member string) []string {
	var texts []string
	for _, v := range n.list(member) {
		s, _ := v.(string)
		texts = append(texts, s)
	}
	return texts
}
