package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// builder makes nodes of a graph. Containers, workloads and ServiceAccounts are one node
// each, however many credentials lead to them.
type builder struct {
	g          *graph.Graph
	nodes      []node
	containers map[reader]int
	workloads  map[int]int
	accounts   map[graph.Object]int
}

type reader struct {
	workload  int
	container string
}

// nodesOf gives a graph's nodes: the gravest credentials first, each followed by what it
// leads to, and last what was not read and is used all the same.
func nodesOf(g *graph.Graph) []node {
	b := &builder{g: g, nodes: []node{}, containers: map[reader]int{}, workloads: map[int]int{}, accounts: map[graph.Object]int{}}
	gravest := slices.SortedStableFunc(slices.Values(g.Credentials), func(x, y graph.Credential) int {
		return cmp.Compare(slices.Index(severities, x.Severity), slices.Index(severities, y.Severity))
	})
	for _, c := range gravest {
		b.credential(c)
	}
	for _, u := range g.Unread {
		if len(u.Uses) > 0 {
			b.unread(u)
		}
	}
	for _, at := range b.containers {
		if more := len(b.nodes[at].Facts) - 1; more > 0 {
			b.nodes[at].Note += fmt.Sprintf(", and %d more", more)
		}
	}
	return b.nodes
}

func (b *builder) node(n node) int {
	n.Name, n.Note = clean(n.Name), clean(n.Note)
	n.Next = []int{}
	b.nodes = append(b.nodes, n)
	return len(b.nodes) - 1
}

func (b *builder) link(from, to int) { b.nodes[from].Next = append(b.nodes[from].Next, to) }

func (b *builder) credential(c graph.Credential) {
	n := node{
		Column: credential, Name: cmp.Or(c.ID, c.Fingerprint, string(c.Kind)),
		Note:  join(string(c.Severity), string(c.Kind), string(c.Confidence)),
		Cloud: clean(c.Cloud), Severity: string(c.Severity),
	}
	n.add("cloud", c.Cloud)
	n.add("kind", string(c.Kind))
	n.add("ID", c.ID)
	n.add("key ID", c.KeyID)
	n.add("account", c.Account)
	n.add("severity", string(c.Severity))
	n.add("confidence", string(c.Confidence))
	n.add("evidence", strings.Join(c.Evidence, "; "))
	n.add("ends", cmp.Or(date(c.Ends, b.g.Time), "never, as far as it says"))
	n.add("fingerprint", cmp.Or(c.Fingerprint, "none: its value was not read"))
	at := b.node(n)
	for _, p := range c.Places {
		b.link(at, b.place(p))
	}
}

func (b *builder) place(p graph.Place) int {
	n := node{Column: place, Name: p.Object.Kind + " " + p.Object.Name, Note: join(p.Object.Namespace, strings.Join(p.Keys, ", "))}
	n.add("object", p.Object.String())
	n.add("file", p.Object.File)
	n.add("keys", strings.Join(p.Keys, ", "))
	n.add("not secret", strings.Join(p.IDKeys, ", "))
	n.add("created", date(p.Created, b.g.Time))
	n.add("written by", p.Writer)
	n.add("written", date(p.Written, b.g.Time))
	if p.From != nil {
		n.add("made from", p.From.String())
		n.add("made in file", p.From.File)
	}
	n.add("uses", cmp.Or(byWhat(p.Uses), "no container reads it"))
	at := b.node(n)
	b.uses(at, p.Object.String(), p.Uses)
	return at
}

// unread is a place of which it is not known what it keeps.
func (b *builder) unread(u graph.Unread) {
	n := node{Column: place, Name: u.What, Note: join("not read", u.Why)}
	n.add("not read", u.Why)
	n.add("uses", byWhat(u.Uses))
	b.uses(b.node(n), u.What, u.Uses)
}

// uses links a place with the containers that read it.
func (b *builder) uses(from int, what string, uses []graph.Use) {
	reads := map[int][]string{}
	for _, u := range uses {
		to := b.container(reader{u.Workload, u.Container})
		if reads[to] == nil {
			b.link(from, to)
		}
		how := clean(u.By + " " + u.As)
		reads[to] = append(reads[to], how)
		n := &b.nodes[to]
		n.Note = cmp.Or(n.Note, how)
		n.add("reads", what+": "+how)
	}
	b.nodes[from].reads = reads
}

func (b *builder) container(r reader) int {
	if at, ok := b.containers[r]; ok {
		return at
	}
	at := b.node(node{Column: container, Name: cmp.Or(r.container, "the pod itself")})
	b.containers[r] = at
	b.link(at, b.workload(r.workload))
	return at
}

func (b *builder) workload(i int) int {
	if at, ok := b.workloads[i]; ok {
		return at
	}
	w := b.g.Workloads[i]
	n := node{Column: workload, Name: w.Kind + " " + w.Name, Note: join(w.Namespace, w.Owner)}
	n.add("object", w.String())
	n.add("file", w.File)
	n.add("owner", w.Owner)
	if w.Pods > 0 {
		n.add("pods", fmt.Sprint(w.Pods))
	}
	at := b.node(n)
	b.workloads[i] = at
	b.link(at, b.account(w))
	return at
}

func (b *builder) account(w graph.Workload) int {
	o := graph.Object{Kind: "ServiceAccount", Namespace: w.Namespace, Name: cmp.Or(w.ServiceAccount, "default")}
	if at, ok := b.accounts[o]; ok {
		return at
	}
	asks := "asks for no identity"
	if len(w.Clouds) > 0 {
		asks = "asks for " + strings.Join(w.Clouds, ", ")
	}
	n := node{Column: account, Name: o.Name, Note: join(w.Namespace, asks)}
	n.add("object", o.String())
	n.add("identity", asks)
	at := b.node(n)
	b.accounts[o] = at
	return at
}

// byWhat counts uses by how they read: "2 env, 1 file".
func byWhat(uses []graph.Use) string {
	n := map[string]int{}
	for _, u := range uses {
		n[u.By]++
	}
	var out []string
	for _, c := range counts([]string{graph.ByEnv, graph.ByFile, graph.ByArgument, graph.ByAnnotation, graph.ByPull}, n) {
		out = append(out, fmt.Sprintf("%d %s", c.N, c.Name))
	}
	return strings.Join(out, ", ")
}
