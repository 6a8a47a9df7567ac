package doctor

import (
	"context"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// trusted holds the trust documents that were given against a token of the ServiceAccount,
// cloud by cloud.
func (r *run) trusted(ctx context.Context, a *account) ([]found, error) {
	var out []found
	for _, want := range wanted(a.answer) {
		t, err := r.tokens(a)(want.audience).SubjectToken(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return append(out, a.refused(err, want.audience)), nil
		}
		list := r.Trust.Judge(want.cloud, want.identity, t.Claims)
		if len(list) == 0 {
			out = append(out, one(finding.Finding{
				Code: codeNoDocument, Severity: finding.Warning, Where: a.where() + " in " + want.cloud, Message: "none of the documents of --trust is of its identity",
				Expected: want.identity, Fix: "give what the cloud's command line prints of it, too: podpass trust check --help has examples", Command: "podpass trust " + want.cloud + " " + a.name + " -n " + a.namespace,
			})...)
			continue
		}
		if i := slices.IndexFunc(list, func(j trust.Judged) bool { return j.Allowed }); i >= 0 {
			list = list[i : i+1] // of which only what is broader than it need be is found
		}
		if list[0].Unnamed && want.identity != "" {
			out = append(out, one(finding.Finding{
				Code: codeUnnamed, Severity: finding.Info, Where: a.where() + " in " + want.cloud, Message: "what was given does not say whose it is, and is taken for its identity's",
				Expected: want.identity, Seen: list[0].Document, Fix: "make sure that the cloud was asked for that identity", Command: asked[want.cloud],
			})...)
		}
		for _, j := range list {
			for _, f := range j.Findings {
				f.Where = a.where() + ": " + f.Where
				out = append(out, found{Finding: f})
			}
		}
	}
	return out, nil
}

// asked is how a cloud's command line is asked for what it prints without a name.
var asked = map[string]string{
	"aws":   "aws iam get-role --role-name ROLE",
	"gcp":   "gcloud iam service-accounts get-iam-policy EMAIL --project=PROJECT --format=json",
	"azure": "az identity federated-credential list --identity-name NAME --resource-group GROUP",
}

// want is one cloud's identity, as far as its trust is concerned; it is empty of a
// ServiceAccount that goes to resources of Google Cloud by itself.
type want struct{ cloud, audience, identity string }

// wanted are an answer's identities in the clouds.
func wanted(a serviceaccount.Answer) []want {
	var list []want
	if a.AWS != nil {
		list = append(list, want{"aws", a.AWS.Audience, a.AWS.RoleARN})
	}
	if a.GCP != nil {
		list = append(list, want{"gcp", a.GCP.Audience, a.GCP.ServiceAccount})
	}
	if a.Azure != nil && a.Azure.ClientID != "" { // without, each application says whom it means
		list = append(list, want{"azure", a.Azure.Audience, a.Azure.ClientID})
	}
	return list
}
