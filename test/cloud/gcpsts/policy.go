package gcpsts

import (
	"slices"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// allows reports whether a service account lets somebody have its tokens, who is any of
// members in IAM policies.
func allows(account trust.GCPServiceAccount, members []string) bool {
	if account.Policy == "" {
		return slices.ContainsFunc(members, func(m string) bool { return slices.Contains(account.Members, m) })
	}
	var policy struct {
		Bindings []struct {
			Role      string   `json:"role"`
			Members   []string `json:"members"`
			Condition struct {
				Expression string `json:"expression"`
			} `json:"condition"`
		} `json:"bindings"`
	}
	if err := yaml.Unmarshal([]byte(account.Policy), &policy); err != nil {
		return false
	}
	for _, b := range policy.Bindings {
		// The roles that hold iam.serviceAccounts.getAccessToken.
		if b.Role != "roles/iam.workloadIdentityUser" && b.Role != "roles/iam.serviceAccountTokenCreator" {
			continue
		}
		if !slices.ContainsFunc(append(members, "allUsers"), func(m string) bool { return slices.Contains(b.Members, m) }) {
			continue
		}
		if b.Condition.Expression == "" {
			return true
		}
		// Of the resource only its type is known here.
		ok, err := holds(b.Condition.Expression, map[string]any{
			"request": map[string]any{"time": time.Now()}, "resource": map[string]any{"type": "iam.googleapis.com/ServiceAccount"},
		})
		if err == nil && ok {
			return true
		}
	}
	return false
}
