package idp

import (
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// attribute is one line of a block, with a value that is already HCL.
func attribute(name, value string) quote.Attribute { return quote.Attribute{Name: name, Value: value} }

// str is an attribute with a string.
func str(name, value string) quote.Attribute { return attribute(name, quote.HCL(value)) }

// list is an attribute with a list of strings: on one line if it is short.
func list(name string, values []string) quote.Attribute {
	line := quote.HCLList(values)
	if len(line) < 100 {
		return attribute(name, line)
	}
	return references(name, quoted(values))
}

// references is an attribute with a list of expressions.
func references(name string, expressions []string) quote.Attribute {
	line := "[" + strings.Join(expressions, ", ") + "]"
	if len(line) < 100 {
		return attribute(name, line)
	}
	return attribute(name, "[\n  "+strings.Join(expressions, ",\n  ")+",\n]")
}

func quoted(values []string) []string {
	var list []string
	for _, v := range values {
		list = append(list, quote.HCL(v))
	}
	return list
}

// resource is a block of a type and a label.
func resource(kind, label string, attributes []quote.Attribute, inner ...string) string {
	return quote.Block("resource "+quote.HCL(kind)+" "+quote.HCL(label), attributes, inner...)
}

// data is a block that looks up what is there.
func data(kind, label string, attributes ...quote.Attribute) string {
	return quote.Block("data "+quote.HCL(kind)+" "+quote.HCL(label), attributes)
}

// output is what somebody needs who sets up API servers and kubeconfigs.
func output(label, description string, attributes ...quote.Attribute) string {
	return quote.Block("output "+quote.HCL(label), append([]quote.Attribute{str("description", description)}, attributes...))
}

// clientIDs is the output that has each cluster's client ID, by the cluster's name.
func (s Setup) clientIDs(expression func(label string) string) string {
	var entries []quote.Attribute
	clusters := labels(s.names())
	for _, name := range s.names() {
		entries = append(entries, attribute(quote.HCL(name), expression(clusters[name])))
	}
	return output("client_ids", "Audience of each cluster's API server, and client ID for people who sign in to it", attribute("value", quote.Map(entries)))
}

// nested is a block that has further blocks, and no attribute.
func nested(head string, blocks []string) string {
	lines := strings.SplitAfter(strings.Join(blocks, "\n"), "\n")
	for n, line := range lines {
		if line != "" && line != "\n" {
			lines[n] = "  " + line
		}
	}
	return head + " {\n" + strings.Join(lines, "") + "}\n"
}

// labels are identifiers of names, in their order, each different from the others.
func labels(names []string) map[string]string {
	var unique quote.Labels
	all := map[string]string{}
	for _, name := range names {
		all[name] = unique.Unique(quote.Label(name))
	}
	return all
}

// document puts blocks below a comment that says what they are, and what goes wrong.
func (s Setup) document(versions string, blocks []string) string {
	var b strings.Builder
	for _, line := range wrap("What "+s.Provider.Title()+" must hold so that people sign in to clusters, as podpass trust idp "+string(s.Provider)+" says. "+versions, 90) {
		b.WriteString(quote.Comment(line))
	}
	return b.String() + "#\n" + comments(s.traps()) + "\n" + strings.Join(blocks, "\n")
}
