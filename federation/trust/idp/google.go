package idp

import (
	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// google is Terraform for the provider hashicorp/google, as far as there is an API: the group
// in which GKE looks up people's groups. OAuth clients have none.
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/cloud_identity_group
// https://cloud.google.com/kubernetes-engine/docs/how-to/google-groups-rbac
func (p *Plan) google() string {
	s := p.setup
	const label, discussion = "gke_security_groups", `"cloudidentity.googleapis.com/groups.discussion_forum"`
	blocks := []string{
		data("google_organization", "company", str("domain", s.Domain)),
		quote.Comment("GKE asks this group, and no other, which groups RBAC may bind: then") +
			quote.Comment("  gcloud container clusters update CLUSTER --security-group="+quote.Shell("gke-security-groups@"+s.Domain)) +
			resource("google_cloud_identity_group", label, []quote.Attribute{
				str("display_name", "gke-security-groups"), str("description", "Groups that RBAC binds in GKE clusters"),
				attribute("parent", `"customers/${data.google_organization.company.directory_customer_id}"`),
				attribute("labels", quote.Map([]quote.Attribute{attribute(discussion, `""`)})),
			}, quote.Block("group_key", []quote.Attribute{str("id", "gke-security-groups@"+s.Domain)})),
	}
	members := labels(s.Groups)
	for _, g := range s.Groups {
		blocks = append(blocks, resource("google_cloud_identity_group_membership", members[g], []quote.Attribute{
			attribute("group", "google_cloud_identity_group."+label+".id"),
		}, quote.Block("preferred_member_key", []quote.Attribute{str("id", g)}), quote.Block("roles", []quote.Attribute{str("name", "MEMBER")})))
	}
	return s.document("For hashicorp/google 6 or newer. Clients are made by hand: podpass trust idp google -o steps.", blocks)
}
