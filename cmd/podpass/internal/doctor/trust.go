package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
	"github.com/podpass-io/podpass/federation/aws"
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
		list := slices.DeleteFunc(r.Trust.Judge(want.cloud, t.Claims), func(j trust.Judged) bool {
			return want.role != "" && strings.HasPrefix(j.Document, "role ") && j.Document != "role "+want.role
		})
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
		for _, j := range list {
			for _, f := range j.Findings {
				f.Where = a.where() + ": " + f.Where
				out = append(out, found{Finding: f})
			}
		}
	}
	return out, nil
}

// want is one cloud's identity, as far as its trust is concerned. role is the name of the
// role that the documents must be of; empty where they name none.
type want struct{ cloud, audience, identity, role string }

// wanted are an answer's identities in the clouds.
func wanted(a serviceaccount.Answer) []want {
	var list []want
	if a.AWS != nil {
		list = append(list, want{"aws", a.AWS.Audience, a.AWS.RoleARN, aws.NameOf(a.AWS.RoleARN)})
	}
	if a.GCP != nil {
		list = append(list, want{"gcp", a.GCP.Audience, a.GCP.ServiceAccount, ""})
	}
	if a.Azure != nil {
		list = append(list, want{"azure", a.Azure.Audience, a.Azure.ClientID, ""})
	}
	return list
}
