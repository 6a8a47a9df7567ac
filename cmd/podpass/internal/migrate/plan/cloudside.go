package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
	"github.com/podpass-io/podpass/federation/trust/azuretrust"
	"github.com/podpass-io/podpass/federation/trust/gcptrust"
)

// side is what one cloud has to be told.
type side struct {
	// name of its files, and of the command of podpass trust; title in sentences.
	name, title string
	// identity that a ServiceAccount has there; empty: none.
	identity func(serviceaccount.Answer) string
	render   func([]trust.Account, bool) (trust.Plan, []finding.Finding)
}

func sides() []side {
	return []side{
		{"aws", "AWS", awsIdentity, func(a []trust.Account, _ bool) (trust.Plan, []finding.Finding) {
			return awstrust.Render(a, awstrust.Options{})
		}},
		{"gcp", "Google Cloud", gcpIdentity, func(a []trust.Account, _ bool) (trust.Plan, []finding.Finding) {
			return gcptrust.Render(a, gcptrust.Options{})
		}},
		{"azure", "Azure", azureIdentity, func(a []trust.Account, application bool) (trust.Plan, []finding.Finding) {
			return azuretrust.Render(a, azuretrust.Options{Application: application})
		}},
	}
}

func awsIdentity(a serviceaccount.Answer) string {
	if a.AWS == nil {
		return ""
	}
	return a.AWS.RoleARN
}

func gcpIdentity(a serviceaccount.Answer) string {
	if a.GCP == nil {
		return ""
	}
	return a.GCP.Provider + " " + a.GCP.ServiceAccount
}

func azureIdentity(a serviceaccount.Answer) string {
	if a.Azure == nil {
		return ""
	}
	return a.Azure.ClientID
}

// cloudSides are the files of what the clouds have to be told for a step. Who has the same
// identity is in one file, since a role's trust policy is replaced as a whole.
func (m *maker) cloudSides(d *draft, all []*draft) (map[string][]byte, error) {
	files := map[string][]byte{}
	if len(d.answer.Errors) > 0 {
		return files, nil // its pods would be denied, and the step says so
	}
	for _, s := range sides() {
		identity := s.identity(d.answer)
		if identity == "" {
			continue
		}
		if !slices.Contains(d.asked, s.name) {
			if d.ServiceAccount.New {
				d.Notes = append(d.Notes, fmt.Sprintf("ServiceAccount %s keeps the identity in %s that %s has: have it trusted as well, by what podpass trust %s prints for all that share it", d.ServiceAccount.Name, s.title, d.ServiceAccount.From, s.name))
			}
			continue
		}
		if s.name == "aws" && !strings.Contains(cmp.Or(m.options.RoleARN, DefaultRoleARN), "SERVICEACCOUNT") {
			d.Notes = append(d.Notes, fmt.Sprintf("role %s may be of others, too, and its trust policy is replaced as a whole: aws.sh knows those that this plan is about", identity))
		}
		plan, found := s.render(m.together(s, identity, all), d.application)
		for _, f := range found {
			if text := strings.TrimSuffix(f.Message, "."); f.Severity == finding.Error {
				d.ByHand = append(d.ByHand, fmt.Sprintf("%s: %s: %s: %s", f.Code, f.Where, text, f.Fix))
			} else {
				d.Notes = append(d.Notes, fmt.Sprintf("%s: %s: %s", f.Code, f.Where, text))
			}
		}
		if finding.Worst(found) == finding.Error {
			continue
		}
		shell, err := plan.Shell()
		if err != nil {
			return nil, err
		}
		terraform, err := plan.Terraform()
		if err != nil {
			return nil, err
		}
		files[s.name+".sh"], files[s.name+".tf"] = shell, terraform
	}
	return files, nil
}

// together are the ServiceAccounts of all steps that have an identity in a cloud.
func (m *maker) together(s side, identity string, all []*draft) []trust.Account {
	var list []trust.Account
	seen := map[ref]bool{}
	for _, d := range all {
		at := ref{"ServiceAccount", d.ServiceAccount.Namespace, d.ServiceAccount.Name}
		if seen[at] || len(d.answer.Errors) > 0 || s.identity(d.answer) != identity {
			continue
		}
		seen[at] = true
		for _, c := range m.options.Issuers {
			list = append(list, trust.Account{Cluster: c, Namespace: at.namespace, Name: at.name, Answer: d.answer})
		}
	}
	return list
}
