package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/statickey"
)

// DefaultRoleARN is the role of a workload that had a key of AWS, if nothing else is said.
const DefaultRoleARN = "arn:aws:iam::ACCOUNT:role/NAMESPACE-SERVICEACCOUNT"

// Identities are those that the keys do not say themselves.
type Identities struct {
	// RoleARN of AWS, in which ACCOUNT, NAMESPACE and SERVICEACCOUNT are replaced; empty:
	// DefaultRoleARN.
	RoleARN string
	// GCPServiceAccount is the email of the one that takes the place of a key without one.
	GCPServiceAccount string
	// AzureClientID and AzureTenantID are of the identity that does so in Azure.
	AzureClientID, AzureTenantID string
}

// federated: there is an identity that takes the place of a key of this kind. Of others
// there is none: they let into clusters, or let kubelet pull images.
func federated(k statickey.Kind) bool {
	switch k {
	case statickey.KubernetesToken, statickey.KubernetesClientKey, statickey.KubernetesPassword, statickey.RegistryPassword:
		return false
	default:
		return true
	}
}

// other says what is to be done about a key that no identity takes the place of.
func other(c graph.Credential) string {
	if c.Kind == statickey.RegistryPassword {
		return "registry " + c.ID + ": kubelet pulls with it, and not the pod: give the nodes the right to pull, or kubelet a credential provider, and then take it out of imagePullSecrets"
	}
	return fmt.Sprintf("%s %s: for this cluster's own API, use the token that Kubernetes mounts into the pod, which ends by itself, and bind the ServiceAccount to the same roles; for another cluster's, see docs/clusters.md", c.Kind, c.ID)
}

// application: in Azure it is an application's, and none of a managed identity, which has
// neither secrets nor certificates.
func application(k statickey.Kind) bool {
	return k == statickey.AzureClientSecret || k == statickey.AzureClientCertificate
}

// of gives the annotations by which a ServiceAccount gets the identity that a credential
// had, or says what is missing.
func (i Identities) of(c graph.Credential, namespace, account string) (annotations map[string]string, missing string) {
	switch c.Cloud {
	case "aws":
		arn := i.RoleARN
		if arn == "" {
			arn = DefaultRoleARN
		}
		if strings.Contains(arn, "ACCOUNT:") && c.Account == "" {
			return nil, fmt.Sprintf("AWS: key %s does not say its account: name the role with --role-arn", named(c))
		}
		arn = strings.NewReplacer("SERVICEACCOUNT", account, "ACCOUNT", c.Account, "NAMESPACE", namespace).Replace(arn)
		return map[string]string{serviceaccount.KeyEKSRoleARN: arn}, ""
	case "gcp":
		email := i.GCPServiceAccount
		if c.Kind == statickey.GCPServiceAccountKey && c.ID != "" {
			email = c.ID
		}
		if email == "" {
			return nil, fmt.Sprintf("Google Cloud: key %s is of no service account that it names: name one with --gcp-service-account", named(c))
		}
		return map[string]string{serviceaccount.KeyGKEServiceAccount: email}, ""
	}
	client, tenant := i.AzureClientID, i.AzureTenantID
	if application(c.Kind) && c.ID != "" {
		client = c.ID
		if c.Account != "" {
			tenant = c.Account
		}
	}
	if client == "" {
		return nil, fmt.Sprintf("Azure: key %s is of no application: name the identity that shall have its rights with --azure-client-id", named(c))
	}
	annotations = map[string]string{serviceaccount.KeyAzureWIClientID: client}
	if tenant != "" {
		annotations[serviceaccount.KeyAzureWITenantID] = tenant
	}
	return annotations, ""
}

// named is a credential in a sentence.
func named(c graph.Credential) string {
	if c.ID == "" {
		return "in " + c.Places[0].Object.String()
	}
	return c.ID
}

// identity is all that the credentials of a workload ask for.
type identity struct {
	annotations map[string]string
	byHand      []string
	application bool
}

// identity of a workload with some credentials, of those clouds that has does not have.
func (i Identities) identity(list []graph.Credential, has []string, namespace, account string) identity {
	all := identity{annotations: map[string]string{}}
	for _, c := range list {
		all.application = all.application || application(c.Kind)
		if slices.Contains(has, c.Cloud) {
			continue
		}
		annotations, missing := i.of(c, namespace, account)
		if missing != "" {
			all.byHand = append(all.byHand, missing)
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(annotations)) {
			if have, ok := all.annotations[key]; ok && have != annotations[key] {
				all.byHand = append(all.byHand, fmt.Sprintf("its keys are of two identities, and %s takes one: %s and %s: give one of them the rights of both, and name it", key, have, annotations[key]))
				continue
			}
			all.annotations[key] = annotations[key]
		}
	}
	slices.Sort(all.byHand)
	all.byHand = slices.Compact(all.byHand)
	return all
}
