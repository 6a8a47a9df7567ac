package idp

import (
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

const keycloakHead = `#!/bin/sh
# What Keycloak must hold so that people sign in to clusters, as podpass trust idp keycloak
# says. It can be run again: what is there is brought up to date, but for the settings of the
# realm and the scopes of clients, and nothing is taken away.
#
# Keycloak 26.6 or newer, where pods are clients; for people alone 25 or newer.
#
`

// keycloakFunctions write what comes in: kcadm knows no call that creates or updates. What
// kcadm finds is put into a variable first, since within a test its failure would be lost.
const keycloakFunctions = `
group() {
	found=$("$kcadm" get groups -r "$realm" -q "search=$1" -q exact=true --fields name --format csv --noquotes </dev/null)
	if ! printf '%s\n' "$found" | grep -Fqx -- "$1"; then
		"$kcadm" create groups -r "$realm" -f -
	fi
}

client() {
	id=$("$kcadm" get clients -r "$realm" -q "clientId=$1" --fields id --format csv --noquotes </dev/null)
	if [ -n "$id" ]; then
		"$kcadm" update "clients/$id" -r "$realm" -f -
	else
		"$kcadm" create clients -r "$realm" -f -
	fi
}
`

const keycloakIssuers = `
cluster_issuer() {
	found=$("$kcadm" get identity-provider/instances -r "$realm" --fields alias --format csv --noquotes </dev/null)
	if printf '%s\n' "$found" | grep -Fqx -- "$1"; then
		"$kcadm" update "identity-provider/instances/$1" -r "$realm" -m -f -
	else
		"$kcadm" create identity-provider/instances -r "$realm" -f -
	fi
}
`

// keycloakShell is a POSIX shell script of kcadm, Keycloak's command line of its admin API,
// in the session to which it is signed in.
func (p *Plan) keycloakShell() ([]byte, error) {
	s := p.setup
	var b script
	b.WriteString(keycloakHead)
	b.WriteString(comments(s.traps()))
	b.WriteString("#\n" + quote.Comment("Sign in first:"))
	b.WriteString(quote.Comment("  kcadm.sh config credentials --server " + quote.Shell(s.server()) + " --realm master --user admin"))
	fmt.Fprintf(&b, "set -eu\nkcadm=${KCADM:-kcadm.sh}\nrealm=%s\n", quote.Shell(s.realm()))
	b.WriteString(keycloakFunctions)
	if len(s.federated()) > 0 {
		b.WriteString(keycloakIssuers)
	}
	b.WriteString("\n# the realm; one that is there keeps its settings\nfound=$(\"$kcadm\" get realms --fields realm --format csv --noquotes)\n")
	b.WriteString("if ! printf '%s\\n' \"$found\" | grep -Fqx -- \"$realm\"; then\n")
	b.body("\t\"$kcadm\" create realms -f -", p.keycloakRealm())
	b.WriteString("fi\n\n# groups that RBAC binds\n")
	for _, name := range s.Groups {
		b.body("group "+quote.Shell(name), group{name})
	}
	for _, c := range s.Clusters {
		b.WriteString("\n" + quote.Comment("people who sign in to "+c.Name))
		b.body("client "+quote.Shell(c.ClientID), p.peoplesClient(c))
	}
	for _, c := range s.federated() {
		b.WriteString("\n" + quote.Comment("the issuer of "+c.Name+" vouches for its pods"))
		b.body("cluster_issuer "+quote.Shell(alias(c.Name)), p.clusterIssuer(c))
	}
	for _, pod := range s.Pods {
		b.WriteString("\n" + quote.Comment("pods with ServiceAccount "+pod.user()))
		b.body("client "+quote.Shell(pod.name()), p.podsClient(pod))
	}
	return []byte(b.String()), b.err
}

// script is one that is written, and the first error.
type script struct {
	strings.Builder
	err error
}

// body is a command that reads a representation. JSON has no line that is END, and the
// shell reads nothing into what stands between quoted marks.
func (b *script) body(command string, representation any) {
	text, err := quote.JSON(representation)
	if err != nil && b.err == nil {
		b.err = err
	}
	fmt.Fprintf(b, "%s <<'END'\n%sEND\n", command, text)
}

// comments are texts of several lines each, as those of the shell and of HashiCorp's
// language.
func comments(texts []string) string {
	var b strings.Builder
	for _, text := range texts {
		first := "- "
		for _, line := range wrap(text, 88) {
			b.WriteString(quote.Comment(first + line))
			first = "  "
		}
	}
	return b.String()
}

// wrap breaks a text between words into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
