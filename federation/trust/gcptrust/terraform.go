package gcptrust

import (
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Terraform is HCL for the provider hashicorp/google.
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/iam_workload_identity_pool_provider
func (p *Plan) Terraform() ([]byte, error) {
	var blocks []string
	for _, name := range p.Pools {
		pool := Provider{Name: name}
		blocks = append(blocks, quote.Block(resourceHead("google_iam_workload_identity_pool", pool.poolLabel()), []quote.Attribute{
			{Name: "project", Value: quote.HCL(pool.project())},
			{Name: "workload_identity_pool_id", Value: quote.HCL(pool.poolID())},
		}))
	}
	for _, provider := range p.Providers {
		blocks = append(blocks, provider.terraform())
	}
	var labels quote.Labels
	for _, g := range p.Grants {
		blocks = append(blocks, quote.Comment("for "+strings.Join(g.Users, ", "))+g.terraform(labels.Unique(g.label()), p.Pools))
	}
	return []byte(strings.Join(blocks, "\n")), nil
}

func resourceHead(kind, label string) string {
	return "resource " + quote.HCL(kind) + " " + quote.HCL(label)
}

// poolLabel tells pools of several projects apart.
func (p Provider) poolLabel() string { return quote.Label(p.poolID(), p.project()) }

func (p PlannedProvider) terraform() string {
	pool := "google_iam_workload_identity_pool." + p.poolLabel()
	var mapping []quote.Attribute
	for _, key := range slices.Sorted(maps.Keys(p.AttributeMapping)) {
		mapping = append(mapping, quote.Attribute{Name: quote.HCL(key), Value: quote.HCL(p.AttributeMapping[key])})
	}
	oidc := []quote.Attribute{{Name: "issuer_uri", Value: quote.HCL(p.OIDC.IssuerURI)}}
	if len(p.OIDC.AllowedAudiences) > 0 {
		oidc = append(oidc, quote.Attribute{Name: "allowed_audiences", Value: quote.HCLList(p.OIDC.AllowedAudiences)})
	}
	if p.OIDC.JWKSJSON != "" {
		oidc = append(oidc, quote.Attribute{Name: "jwks_json", Value: quote.HCL(p.OIDC.JWKSJSON)})
	}
	return quote.Comment("the issuer of "+clusterName(p.Cluster)) + quote.Block(resourceHead("google_iam_workload_identity_pool_provider", quote.Label(p.poolLabel(), p.id())), []quote.Attribute{
		{Name: "project", Value: pool + ".project"},
		{Name: "workload_identity_pool_id", Value: pool + ".workload_identity_pool_id"},
		{Name: "workload_identity_pool_provider_id", Value: quote.HCL(p.id())},
		{Name: "attribute_mapping", Value: quote.Map(mapping)},
	}, quote.Block("oidc", oidc))
}

func (g Grant) label() string {
	name, _, _ := strings.Cut(g.ServiceAccount+g.Project, "@")
	return quote.Label(append([]string{name}, g.Users...)...)
}

// terraform adds one member, and leaves the others that the policy has. IAM takes a
// principal of a pool only once that is there.
func (g Grant) terraform(label string, pools []string) string {
	attributes := []quote.Attribute{{Name: "role", Value: quote.HCL(g.Role)}, {Name: "member", Value: quote.HCL(g.Member)}}
	if m, ok := parseMember(g.Member); ok && slices.Contains(pools, m.pool) {
		attributes = append(attributes, quote.Attribute{Name: "depends_on", Value: "[google_iam_workload_identity_pool." + Provider{Name: m.pool}.poolLabel() + "]"})
	}
	kind, on := "google_service_account_iam_member", quote.Attribute{Name: "service_account_id", Value: quote.HCL(g.resource())}
	if g.ServiceAccount == "" {
		kind, on = "google_project_iam_member", quote.Attribute{Name: "project", Value: quote.HCL(g.Project)}
	}
	return quote.Block(resourceHead(kind, label), append([]quote.Attribute{on}, attributes...))
}
