package trust

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/gcptrust"
)

const gcpLong = `Print what Google Cloud must hold so that ServiceAccounts get their identities: the
workload identity pool and the provider for the cluster's issuer, with an attribute
mapping, and who may be which service account; for GKE and fleets, which have their
pools, the last alone.

The keys of an issuer that exists only in the cluster are uploaded to the provider;
do so again whenever they change. What is in the project already is left as it is.
What the service account itself may do is yours to say; so are the roles of
ServiceAccounts that have none, unless --role and --project say them.`

const gcpExamples = `  # The commands for one ServiceAccount of the current cluster, to read and then to run
  podpass trust gcp orders -n shop

  # Terraform for all ServiceAccounts that have an identity
  podpass trust gcp -A -o terraform > podpass.tf

  # Of manifests, without a cluster; whole namespaces
  podpass trust gcp -f accounts.yaml -A --issuer prod=https://oidc.example.com/prod --namespaces

  # Without a service account: a role in a project
  podpass trust gcp reports -n shop --role roles/storage.objectViewer --project example-project`

func gcpCloud() cloud {
	return cloud{
		name: "gcp", title: "Google Cloud", annotation: serviceaccount.KeyGoogleProvider,
		asks:       func(a serviceaccount.Answer) bool { return a.GCP != nil },
		renderer:   gcpRenderer,
		render:     help{gcpLong, gcpExamples},
		keys:       true,
		recognises: gcpRecognises,
		documents:  gcpDocuments,
		audience:   gcpAudience,
	}
}

func gcpRenderer(f *pflag.FlagSet) func([]trust.Account) (trust.Plan, []finding.Finding) {
	var o gcptrust.Options
	f.BoolVar(&o.Namespaces, "namespaces", false, "grant to whole namespaces rather than to each ServiceAccount: shorter, and broader")
	f.BoolVar(&o.UploadKeys, "upload-keys", false, "upload the cluster's keys even where Google can fetch them from its issuer")
	f.StringVar(&o.Role, "role", "", "role for ServiceAccounts that impersonate no service account, in --project")
	f.StringVar(&o.Project, "project", "", "ID of the project in which they get --role")
	return func(accounts []trust.Account) (trust.Plan, []finding.Finding) { return gcptrust.Render(accounts, o) }
}

// gcpAudience: a provider's own name, which without the ServiceAccount nobody knows.
func gcpAudience(a serviceaccount.Answer, in serviceaccount.Installation) string {
	if a.GCP != nil {
		return a.GCP.Audience
	}
	if in.GCP.Audience != "" {
		return in.GCP.Audience
	}
	provider, err := gcp.ParseProvider(in.GCP.DefaultProvider)
	if err != nil {
		return ""
	}
	return provider
}

// gcpRecognises looks for what `gcloud iam` prints of pools, providers and policies. An
// etag alone is a policy that grants nothing.
func gcpRecognises(piece []byte) bool {
	return hasField(piece, "bindings", "etag", "providers") || bytes.Contains(piece, []byte("/workloadIdentityPools/")) && hasField(piece, "name")
}

// gcpDocuments are the policies, each with all pools and providers; or those alone. A
// project's own policy, of direct access, grants no service account.
func gcpDocuments(pieces [][]byte) ([]document, error) {
	all, err := gcptrust.Parse(bytes.Join(pieces, []byte("\n")))
	if err != nil {
		return nil, err
	}
	judged := func(name string, policies ...gcptrust.Policy) document {
		d := gcptrust.Document{Pools: all.Pools, Providers: all.Providers, Policies: policies}
		return document{name, func(t token) trust.Verdict {
			if len(t.Audiences) == 1 && t.Audiences[0] == "" && len(d.Providers) > 0 {
				t = t.with(defaultAudience(d.Providers))
			}
			return gcptrust.Evaluate(d, t.Claims, t.all)
		}, unnamed}
	}
	var documents []document
	for n, p := range all.Policies {
		name, email, ofAccount := strings.Cut(p.Resource, "/serviceAccounts/") // gcloud prints no resource
		switch {
		case ofAccount:
			name = "service account " + email
		case name != "":
			continue
		case len(all.Policies) == 1:
			name = "policy"
		default:
			name = fmt.Sprintf("policy %d", n+1)
		}
		one := judged(name, p)
		if ofAccount {
			one.isOf = func(identity string) (bool, bool) { return identity == email, true }
		}
		documents = append(documents, one)
	}
	if documents == nil {
		one := judged("provider")
		one.isOf = nil
		documents = append(documents, one)
	}
	return documents, nil
}

// defaultAudience is what podpass asks for where nothing says otherwise: the provider's own
// name.
func defaultAudience(providers []gcptrust.Provider) string {
	audience, err := gcp.ParseProvider(providers[0].Name)
	if err != nil {
		return ""
	}
	return audience
}
