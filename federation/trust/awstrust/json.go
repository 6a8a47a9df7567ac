package awstrust

import (
	"strings"

	"github.com/podpass-io/podpass/federation/trust"
)

var _ trust.Plan = (*Plan)(nil)

// permissionsName is that of the inline policy which lets a role assume the next one.
const permissionsName = "podpass-assume-role"

// JSON is the plan in the fields of IAM's API, which ParseAll reads: providers as
// GetOpenIDConnectProvider answers, roles as ListRoles does, and their inline policies.
func (p *Plan) JSON() ([]byte, error) {
	type provider struct {
		ARN         string   `json:"Arn"`
		URL         string   `json:"Url"`
		ClientIDs   []string `json:"ClientIDList"`
		Thumbprints []string `json:"ThumbprintList,omitempty"`
	}
	type role struct {
		Path               string
		RoleName           string
		ARN                string `json:"Arn"`
		Policy             Policy `json:"AssumeRolePolicyDocument"`
		MaxSessionDuration int
	}
	type rolePolicy struct {
		RoleARN    string `json:"RoleArn"`
		RoleName   string
		PolicyName string
		Document   *Policy `json:"PolicyDocument"`
	}
	out := struct {
		Providers []provider   `json:"OpenIDConnectProviders"`
		Roles     []role       `json:"Roles"`
		Policies  []rolePolicy `json:"RolePolicies,omitempty"`
	}{Providers: []provider{}, Roles: []role{}}
	for _, o := range p.Providers {
		out.Providers = append(out.Providers, provider{o.ARN, strings.TrimPrefix(o.Issuer, "https://"), o.ClientIDs, o.Thumbprints})
	}
	for _, r := range p.Roles {
		out.Roles = append(out.Roles, role{r.ARN.Path, r.ARN.Name, r.ARN.String(), r.Policy, r.MaxSessionDuration})
		if r.Permissions != nil {
			out.Policies = append(out.Policies, rolePolicy{r.ARN.String(), r.ARN.Name, permissionsName, r.Permissions})
		}
	}
	b, err := encode(out, "  ")
	return append(b, '\n'), err
}

// accounts are the AWS accounts of the plan, in the order of its roles.
func (p *Plan) accounts() []string {
	var list []string
	seen := map[string]bool{}
	for _, r := range p.Roles {
		if !seen[r.ARN.Account] {
			seen[r.ARN.Account] = true
			list = append(list, r.ARN.Account)
		}
	}
	return list
}
