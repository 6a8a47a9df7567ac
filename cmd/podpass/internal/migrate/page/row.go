package page

import "strings"

// row is one of the table for those without scripts: a way from a credential to a
// ServiceAccount, as far as it goes.
type row [columns]*node

func rowsOf(nodes []node) []row {
	linked := make([]bool, len(nodes))
	for _, n := range nodes {
		for _, to := range n.Next {
			linked[to] = true
		}
	}
	var out []row
	var walk func(r row, n *node)
	walk = func(r row, n *node) {
		r[n.Column] = n
		if len(n.Next) == 0 {
			out = append(out, r)
		}
		for _, to := range n.Next {
			next := &nodes[to]
			if how := n.reads[to]; how != nil {
				container := *next
				container.Note = strings.Join(how, ", ") // from here, and not from elsewhere
				next = &container
			}
			walk(r, next)
		}
	}
	for i := range nodes {
		if !linked[i] {
			walk(row{}, &nodes[i])
		}
	}
	return out
}
