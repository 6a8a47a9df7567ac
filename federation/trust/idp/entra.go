package idp

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// noRole is the ID by which Graph assigns somebody to an application without a role.
const noRole = "00000000-0000-0000-0000-000000000000"

// Roles of a cluster's application to which pods talk. An application that has any takes no
// assignment without one, so that people get one, too.
const (
	podsRole    = "Pods"
	peoplesRole = "People"
)

// entra is Terraform for the provider hashicorp/azuread: an application for each cluster, to
// which the groups are assigned, and one for each pod, with a federated credential.
// https://registry.terraform.io/providers/hashicorp/azuread/latest/docs
func (p *Plan) entra() string {
	s := p.setup
	groups := labels(s.Groups)
	// Applications of clusters and of pods are of one type, as are the assignments of both.
	var applications, assignments quote.Labels
	clusters, pods := map[string]string{}, map[string]string{}
	for _, c := range s.Clusters {
		clusters[c.Name] = applications.Unique(quote.Label(c.Name))
	}
	var blocks []string
	for _, g := range s.Groups {
		blocks = append(blocks, data("azuread_group", groups[g], str("display_name", g), attribute("security_enabled", "true")))
	}
	for _, c := range s.Clusters {
		label := clusters[c.Name]
		blocks = append(blocks, quote.Comment("people who sign in to "+c.Name)+p.entraCluster(c, label),
			quote.Comment("only who is assigned gets a token")+resource("azuread_service_principal", label, []quote.Attribute{
				attribute("client_id", "azuread_application."+label+".client_id"), attribute("app_role_assignment_required", "true"),
			}))
		role := quote.HCL(noRole)
		if p.talked(c.Name) {
			role = roleOf(label, peoplesRole)
		}
		for _, g := range s.Groups {
			blocks = append(blocks, resource("azuread_app_role_assignment", assignments.Unique(label+"_"+groups[g]), []quote.Attribute{
				attribute("app_role_id", role), attribute("principal_object_id", "data.azuread_group."+groups[g]+".object_id"),
				attribute("resource_object_id", "azuread_service_principal."+label+".object_id"),
			}))
		}
	}
	for _, pod := range s.Pods {
		label := applications.Unique("pod_" + quote.Label(pod.name()))
		pods[pod.name()] = label
		blocks = append(blocks, p.entraPod(pod, label)...)
		for _, name := range slices.Sorted(slices.Values(pod.Audiences)) {
			cluster := clusters[name]
			blocks = append(blocks, resource("azuread_app_role_assignment", assignments.Unique(label+"_"+cluster), []quote.Attribute{
				attribute("app_role_id", roleOf(cluster, podsRole)),
				attribute("principal_object_id", "azuread_service_principal."+label+".object_id"),
				attribute("resource_object_id", "azuread_service_principal."+cluster+".object_id"),
			}))
		}
	}
	blocks = append(blocks, output("issuer", "Issuer that API servers trust", str("value", s.issuer())), s.clientIDs(func(label string) string {
		return "azuread_application." + label + ".client_id"
	}))
	if len(s.Pods) > 0 {
		var entries []quote.Attribute
		for _, pod := range s.Pods {
			entries = append(entries, attribute(quote.HCL(pod.name()), "azuread_service_principal."+pods[pod.name()]+".object_id"))
		}
		blocks = append(blocks, output("pods", "Users that API servers see of pods, which RBAC binds", attribute("value", quote.Map(entries))))
	}
	return s.document("For hashicorp/azuread 3 or newer. Groups are those that are there.", blocks)
}

func (p *Plan) entraCluster(c Cluster, label string) string {
	s := p.setup
	inner := []string{
		quote.Block("api", []quote.Attribute{attribute("requested_access_token_version", "2")}),
		quote.Block("public_client", []quote.Attribute{list("redirect_uris", s.RedirectURIs)}),
	}
	if p.talked(c.Name) {
		inner = append(inner, appRole(c.Name, peoplesRole, "User", "People who sign in to cluster "), appRole(c.Name, podsRole, "Application", "Pods that talk to the API of cluster "))
	}
	if s.GroupNames {
		var tokens []string
		for _, kind := range []string{"access_token", "id_token"} {
			tokens = append(tokens, quote.Block(kind, []quote.Attribute{str("name", "groups"), list("additional_properties", []string{"cloud_displayname"})}))
		}
		// A block without attributes of its own: its first line is no empty one.
		inner = append(inner, nested("optional_claims", tokens))
	}
	return resource("azuread_application", label, []quote.Attribute{
		str("display_name", "Kubernetes "+c.Name), str("sign_in_audience", "AzureADMyOrg"),
		attribute("fallback_public_client_enabled", "true"), list("group_membership_claims", []string{"ApplicationGroup"}),
	}, inner...)
}

// entraPod is a pod's application. What it may do is the clusters' to say.
func (p *Plan) entraPod(pod Pod, label string) []string {
	c, _ := p.setup.cluster(pod.Cluster)
	return []string{
		quote.Comment("pods with ServiceAccount "+pod.user()) + resource("azuread_application", label, []quote.Attribute{
			str("display_name", "Pods "+pod.name()), str("sign_in_audience", "AzureADMyOrg"),
		}),
		resource("azuread_service_principal", label, []quote.Attribute{attribute("client_id", "azuread_application."+label+".client_id")}),
		resource("azuread_application_federated_identity_credential", label, []quote.Attribute{
			attribute("application_id", "azuread_application."+label+".id"), str("display_name", credentialName(pod)),
			list("audiences", []string{azure.DefaultAudience}), str("issuer", c.Issuer), str("subject", pod.Subject()),
		}),
	}
}

// talked reports whether pods talk to the cluster's API by the provider's tokens.
func (p *Plan) talked(cluster string) bool {
	return slices.ContainsFunc(p.setup.Pods, func(pod Pod) bool { return has(pod.Audiences, cluster) })
}

// appRole is a role of a cluster's application, for members of one type.
func appRole(cluster, role, members, description string) string {
	return quote.Block("app_role", []quote.Attribute{
		str("id", roleID(cluster, role)), str("display_name", role), str("value", role), str("description", description+cluster),
		list("allowed_member_types", []string{members}),
	})
}

// roleOf refers to a role of the application with that label.
func roleOf(label, role string) string {
	return "azuread_service_principal." + label + ".app_role_ids[" + quote.HCL(role) + "]"
}

// roleID is a GUID that is always the same for a cluster's role: Entra wants one that is chosen
// when the role is made.
func roleID(cluster, role string) string {
	sum := sha256.Sum256([]byte("podpass.io entra role " + role + " " + cluster))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 of RFC 9562: a scheme of one's own
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// credentialName is a federated credential's: at most 120 letters, digits, hyphens and
// underscores.
func credentialName(pod Pod) string {
	name := pod.Namespace + "_" + pod.ServiceAccount
	if len(name) <= 120 && !slices.Contains([]byte(name), '.') {
		return name
	}
	return fmt.Sprintf("pods-%x", sha256.Sum256([]byte(pod.name())))[:40]
}

func has(list []string, s string) bool { return slices.Contains(list, s) }
