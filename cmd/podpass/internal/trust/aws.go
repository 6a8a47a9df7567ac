package trust

import (
	"bytes"

	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
)

const awsLong = `Print what AWS must hold so that ServiceAccounts get their roles: an IAM OIDC
provider for the cluster's issuer, and for each role the trust policy that lets
exactly these ServiceAccounts in; for chains, the further roles with their external
ID, and what lets one assume the next.

ServiceAccounts that share a role, in several clusters too, share its policy: give
all of them at once, for a role's trust policy is replaced as a whole. Limits of IAM
are checked. What a role itself may do is yours to say.`

const awsExamples = `  # The commands for one ServiceAccount of the current cluster, to read and then to run
  podpass trust aws orders -n shop

  # Terraform for all ServiceAccounts that have a role
  podpass trust aws -A -o terraform > podpass.tf

  # The same manifests in two clusters: one trust policy a role
  podpass trust aws -f accounts.yaml -A --issuer prod=https://oidc.example.com/prod --issuer test=https://oidc.example.com/test

  # Two clusters, each asked for its issuer and its ServiceAccounts
  podpass trust aws -l app=orders -A --context prod --context test -o json`

func awsCloud() cloud {
	return cloud{
		name: "aws", title: "AWS", annotation: serviceaccount.KeyEKSRoleARN,
		asks:       func(a serviceaccount.Answer) bool { return a.AWS != nil },
		renderer:   awsRenderer,
		render:     help{awsLong, awsExamples},
		recognises: awsRecognises,
		documents:  awsDocuments,
		audience: func(a serviceaccount.Answer, in serviceaccount.Installation) string {
			if a.AWS != nil {
				return a.AWS.Audience
			}
			return in.WithDefaults().AWS.Audience
		},
	}
}

func awsRenderer(f *pflag.FlagSet) func([]trust.Account) (trust.Plan, []finding.Finding) {
	var o awstrust.Options
	f.BoolVar(&o.Namespaces, "namespaces", false, "trust whole namespaces rather than each ServiceAccount: shorter, and broader")
	f.BoolVar(&o.RaisedQuota, "raised-quota", false, "the AWS account's quota for trust policies is 4096 characters, not 2048")
	f.StringArrayVar(&o.Thumbprints, "thumbprint", nil, "SHA-1 thumbprint of the certificate authority of the issuers, in hex, for an AWS CLI from before 2024, which demands one; may be repeated")
	return func(accounts []trust.Account) (trust.Plan, []finding.Finding) { return awstrust.Render(accounts, o) }
}

// awsRecognises looks for the fields that `aws iam` prints of roles, policies and
// providers; the first is how IAM's API has a policy.
func awsRecognises(piece []byte) bool {
	if bytes.HasPrefix(piece, []byte("%7B")) {
		return true
	}
	return hasField(piece, "Role", "Roles", "AssumeRolePolicyDocument", "Statement", "ClientIDList", "OpenIDConnectProviders")
}

func awsDocuments(pieces [][]byte) ([]document, error) {
	var all []awstrust.Document
	for _, p := range pieces {
		list, err := awstrust.ParseAll(p)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	var documents []document
	for _, d := range awstrust.Join(all) {
		documents = append(documents, document{d.Name(), func(t token) trust.Verdict {
			return awstrust.EvaluateRequest(d, awstrust.Request{Claims: t.Claims, Context: t.request})
		}, awsIsOf(d)})
	}
	return documents, nil
}

// awsIsOf tells by the ARN, or by the name where that is all.
func awsIsOf(d awstrust.Document) func(string) (is, tells bool) {
	switch {
	case d.Role == nil:
		return nil
	case d.Role.ARN != "":
		return func(identity string) (bool, bool) { return identity == d.Role.ARN, true }
	case d.Role.Name != "":
		return func(identity string) (bool, bool) { return aws.NameOf(identity) == d.Role.Name, true }
	}
	return unnamed
}
