package trust

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/azuretrust"
)

const azureLong = `Print what Microsoft Entra must hold so that ServiceAccounts get their identities: a
federated credential for each ServiceAccount of each cluster, on the managed
identity, or with --application on the application, that its client ID names.

Entra knows no pattern for subjects, takes 20 federated credentials an identity, and
fetches the keys of issuers itself. What the identity itself may do is yours to say.`

const azureExamples = `  # The commands for one ServiceAccount of the current cluster, to read and then to run
  podpass trust azure orders -n shop

  # Terraform for all ServiceAccounts that have a client ID
  podpass trust azure -A -o terraform > podpass.tf

  # Applications, of manifests, in two clusters
  podpass trust azure -f accounts.yaml -A --application --issuer prod=https://oidc.example.com/prod --issuer test=https://oidc.example.com/test`

func azureCloud() cloud {
	return cloud{
		name: "azure", title: "Azure", annotation: serviceaccount.KeyAzureWIClientID,
		asks: func(a serviceaccount.Answer) bool {
			return a.Azure != nil && (a.Azure.ClientID != "" || len(a.Azure.Others) > 0)
		},
		renderer:   azureRenderer,
		render:     help{azureLong, azureExamples},
		recognises: azureRecognises,
		documents:  azureDocuments,
		audience: func(a serviceaccount.Answer, in serviceaccount.Installation) string {
			if a.Azure != nil {
				return a.Azure.Audience
			}
			return cmp.Or(in.Azure.Audience, azure.DefaultAudience)
		},
	}
}

func azureRenderer(f *pflag.FlagSet) func([]trust.Account) (trust.Plan, []finding.Finding) {
	var o azuretrust.Options
	f.BoolVar(&o.Application, "application", false, "the client IDs are those of applications, not of managed identities")
	return func(accounts []trust.Account) (trust.Plan, []finding.Finding) { return azuretrust.Render(accounts, o) }
}

// azureRecognises looks for what az prints of federated credentials; of an identity that
// has none it is an empty list.
func azureRecognises(piece []byte) bool {
	return hasField(piece, "audiences", "properties", "identities", "value") || string(bytes.TrimSpace(piece)) == "[]"
}

// azureDocuments: each list is an identity's.
func azureDocuments(pieces [][]byte) ([]document, error) {
	var documents []document
	for _, p := range pieces {
		list, err := azuretrust.ParseAll(p)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			one := document{"federated credentials", func(t token) trust.Verdict { return azuretrust.Evaluate(d, t.Claims) }, unnamed}
			if d.Client != "" {
				one.name = "federated credentials of client " + d.Client
				one.isOf = func(identity string) (bool, bool) { return strings.EqualFold(identity, d.Client), true }
			}
			documents = append(documents, one)
		}
	}
	return documents, nil
}
