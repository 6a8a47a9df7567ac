package gcptrust

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// shellHead begins the script. exists swallows no error but the one that is a plain no.
const shellHead = `#!/bin/sh
# What Google Cloud must hold so that ServiceAccounts get their identities, as
# podpass trust gcp says. It can be run again: what is there already is left as it is, but
# for uploaded keys, which are brought up to date.
set -eu

# exists runs a command that shows an object: false if there is none.
exists() {
	if answer=$("$@" 2>&1); then
		return 0
	fi
	case $answer in
	*NOT_FOUND*) return 1 ;;
	*) ;;
	esac
	printf '%s\n' "$answer" >&2
	exit 1
}
`

const shellKeys = `
keys=$(mktemp)
trap 'rm -f "$keys"' EXIT
`

// Shell is a POSIX shell script of gcloud. It names everything in full: --project takes
// no number, which is all that is known of a pool's project.
func (p *Plan) Shell() ([]byte, error) {
	var b strings.Builder
	b.WriteString(shellHead)
	if slices.ContainsFunc(p.Providers, func(p PlannedProvider) bool { return p.OIDC.JWKSJSON != "" }) {
		b.WriteString(shellKeys)
	}
	for _, pool := range p.Pools {
		name := quote.Shell(pool)
		fmt.Fprintf(&b, "\nif ! exists gcloud iam workload-identity-pools describe %s; then\n\tgcloud iam workload-identity-pools create %s\nfi\n", name, name)
	}
	for _, provider := range p.Providers {
		provider.shell(&b)
	}
	for _, g := range p.Grants {
		b.WriteString("\n" + quote.Comment("for "+strings.Join(g.Users, ", ")))
		to := "iam service-accounts add-iam-policy-binding " + quote.Shell(g.resource())
		if g.ServiceAccount == "" {
			to = "projects add-iam-policy-binding " + quote.Shell(g.Project)
		}
		// Without --condition gcloud asks a person where the policy has conditions.
		fmt.Fprintf(&b, "gcloud %s --role=%s --member=%s --condition=None >/dev/null\n", to, quote.Shell(g.Role), quote.Shell(g.Member))
	}
	return []byte(b.String()), nil
}

func (p PlannedProvider) shell(b *strings.Builder) {
	name := quote.Shell(p.Name)
	b.WriteString("\n" + quote.Comment("the issuer of "+clusterName(p.Cluster)))
	keys := ""
	if p.OIDC.JWKSJSON != "" {
		fmt.Fprintf(b, "printf '%%s\\n' %s >\"$keys\"\n", quote.Shell(p.OIDC.JWKSJSON))
		keys = ` --jwk-json-path="$keys"`
	}
	fmt.Fprintf(b, "if exists gcloud iam workload-identity-pools providers describe %s; then\n", name)
	if keys != "" {
		fmt.Fprintf(b, "\tgcloud iam workload-identity-pools providers update-oidc %s%s\n", name, keys)
	} else {
		fmt.Fprintf(b, "\tprintf 'provider %%s is there; podpass trust check says whether it fits\\n' %s >&2\n", quote.Shell(p.id()))
	}
	fmt.Fprintf(b, "else\n\tgcloud iam workload-identity-pools providers create-oidc %s", name)
	fmt.Fprintf(b, " --issuer-uri=%s --attribute-mapping=%s", quote.Shell(p.OIDC.IssuerURI), quote.Shell(p.mappingFlag()))
	if len(p.OIDC.AllowedAudiences) > 0 {
		fmt.Fprintf(b, " --allowed-audiences=%s", quote.Shell(strings.Join(p.OIDC.AllowedAudiences, ",")))
	}
	b.WriteString(keys + "\nfi\n")
}

// mappingFlag is the mapping as gcloud takes it; the planned expressions have no commas,
// and no quotes but single ones, which would be hard to read in a shell.
func (p Provider) mappingFlag() string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(p.AttributeMapping)) {
		pairs = append(pairs, key+"="+strings.ReplaceAll(p.AttributeMapping[key], "'", `"`))
	}
	return strings.Join(pairs, ",")
}

func clusterName(name string) string {
	if name == "" {
		return "the cluster"
	}
	return "cluster " + name
}
