package azuretrust

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

const shellHead = `#!/bin/sh
# What Entra must hold so that ServiceAccounts get their identities, as podpass trust azure
# says. It can be run again: a federated credential of the same name is brought up to date,
# and the others that an identity has are left alone.
set -eu
`

// Shell is a POSIX shell script of az, for the subscription and the tenant that it is
// signed in to.
func (p *Plan) Shell() ([]byte, error) {
	var b strings.Builder
	b.WriteString(shellHead)
	for _, i := range p.Identities {
		if !i.Application {
			i.lookUp(&b)
		}
		for _, c := range i.Credentials {
			b.WriteString("\n" + quote.Comment("for "+c.User))
			if !i.Application {
				fmt.Fprintf(&b, "az identity federated-credential create --name %s --identity-name \"$identity\" --resource-group \"$group\" --issuer %s --subject %s --audiences %s --output none\n",
					quote.Shell(c.Name), quote.Shell(c.Issuer), quote.Shell(c.Subject), quote.Shell(c.Audiences[0]))
				continue
			}
			if err := c.ofApplication(&b, i.ClientID); err != nil {
				return nil, err
			}
		}
	}
	return []byte(b.String()), nil
}

// lookUp finds a managed identity's name, by which az knows it, by its client ID, by which
// pods do.
func (i PlannedIdentity) lookUp(b *strings.Builder) {
	query := func(field string) string { return quote.Shell("[?clientId=='" + i.ClientID + "']." + field) }
	fmt.Fprintf(b, `
# client ID %[1]s
identity=$(az identity list --query %[2]s --output tsv)
group=$(az identity list --query %[3]s --output tsv)
if [ -z "$identity" ]; then
	echo 'error: this subscription has no managed identity with the client ID %[1]s' >&2
	echo 'hint: choose its subscription with az account set; if it is an application, podpass trust azure --application' >&2
	exit 1
fi
`, i.ClientID, query("name"), query("resourceGroup"))
}

// ofApplication creates a credential, or replaces the one of that name: Graph, other than
// Azure Resource Manager, has no call that does either.
func (c PlannedCredential) ofApplication(b *strings.Builder, client string) error {
	body, err := json.Marshal(c.Credential)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "credential=%s\n", quote.Shell(string(body)))
	// A substitution within the test would hide that az has failed.
	fmt.Fprintf(b, "there=$(az ad app federated-credential list --id %s --query %s --output tsv)\nif [ -n \"$there\" ]; then\n", client, quote.Shell("[?name=='"+c.Name+"'].id"))
	fmt.Fprintf(b, "\taz ad app federated-credential update --id %s --federated-credential-id %s --parameters \"$credential\" --output none\n", client, quote.Shell(c.Name))
	fmt.Fprintf(b, "else\n\taz ad app federated-credential create --id %s --parameters \"$credential\" --output none\nfi\n", client)
	return nil
}
