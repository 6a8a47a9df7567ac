package awstrust

import (
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// shellHead begins the script. exists keeps what a command answers, so that a role's
// former policy can be shown before it is replaced, and swallows no error but the one
// that is a plain no.
const shellHead = `#!/bin/sh
# What AWS must hold so that ServiceAccounts get their roles, as podpass trust aws says.
# It can be run again: what is there is brought up to date. A role's trust policy is
# replaced as a whole, and the former one printed to standard error.
set -eu
export AWS_PAGER=''

# exists runs a command that shows an object: false if there is none.
exists() {
	if answer=$("$@" 2>&1); then
		return 0
	fi
	case $answer in
	*NoSuchEntity*) return 1 ;;
	*)
		printf '%s\n' "$answer" >&2
		exit 1
		;;
	esac
}

account=$(aws sts get-caller-identity --query Account --output text)
case $account in
`

// Shell is a POSIX shell script of the aws command line. It does the part of the account
// that it is run in: once for each account, in the order of the script.
func (p *Plan) Shell() ([]byte, error) {
	var b strings.Builder
	b.WriteString(shellHead)
	for _, account := range p.accounts() {
		fmt.Fprintf(&b, "%s)\n", account)
		for _, o := range p.Providers {
			if o.Account == account {
				o.shell(&b)
			}
		}
		for _, r := range p.Roles {
			if r.ARN.Account == account {
				if err := r.shell(&b); err != nil {
					return nil, err
				}
			}
		}
		b.WriteString("\t;;\n")
	}
	fmt.Fprintf(&b, `*)
	echo "error: nothing here is for account $account: sign in to %s" >&2
	exit 1
	;;
esac
`, strings.Join(p.accounts(), ", then "))
	return []byte(b.String()), nil
}

func (o PlannedProvider) shell(b *strings.Builder) {
	arn := quote.Shell(o.ARN)
	fmt.Fprintf(b, "\t# the issuer of %s\n", clusterName(o.Cluster))
	fmt.Fprintf(b, "\tif exists aws iam get-open-id-connect-provider --open-id-connect-provider-arn %s; then\n", arn)
	for _, id := range o.ClientIDs {
		fmt.Fprintf(b, "\t\taws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn %s --client-id %s\n", arn, quote.Shell(id))
	}
	fmt.Fprintf(b, "\telse\n\t\taws iam create-open-id-connect-provider --url %s --client-id-list%s", quote.Shell(o.Issuer), quoteAll(o.ClientIDs))
	if len(o.Thumbprints) > 0 {
		fmt.Fprintf(b, " --thumbprint-list%s", quoteAll(o.Thumbprints))
	}
	b.WriteString("\n\tfi\n")
}

func (r PlannedRole) shell(b *strings.Builder) error {
	policy, err := r.Policy.indented("")
	if err != nil {
		return err
	}
	name := quote.Shell(r.ARN.Name)
	fmt.Fprintf(b, "\t# for %s\n", r.users())
	fmt.Fprintf(b, "\ttrust=%s\n", quote.Shell(policy))
	fmt.Fprintf(b, "\tif exists aws iam get-role --role-name %s; then\n", name)
	fmt.Fprintf(b, "\t\tprintf 'replacing the trust policy of this role:\\n%%s\\n' \"$answer\" >&2\n")
	fmt.Fprintf(b, "\t\taws iam update-assume-role-policy --role-name %s --policy-document \"$trust\"\n", name)
	if r.MaxSessionDuration > minDuration {
		fmt.Fprintf(b, "\t\taws iam update-role --role-name %s --max-session-duration %d\n", name, r.MaxSessionDuration)
	}
	fmt.Fprintf(b, "\telse\n\t\taws iam create-role --role-name %s --path %s --assume-role-policy-document \"$trust\" --max-session-duration %d\n\tfi\n", name, quote.Shell(r.ARN.Path), r.MaxSessionDuration)
	if r.Permissions == nil {
		return nil
	}
	permissions, err := r.Permissions.indented("")
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\t# the next roles of its chains\n\taws iam put-role-policy --role-name %s --policy-name %s --policy-document %s\n", name, permissionsName, quote.Shell(permissions))
	return nil
}

// quoteAll gives words of the shell, each after a space.
func quoteAll(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(" " + quote.Shell(s))
	}
	return b.String()
}

// oneLine keeps a comment one: a cluster's name is what somebody typed.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func clusterName(name string) string {
	if name == "" {
		return "the cluster"
	}
	return "cluster " + oneLine(name)
}
