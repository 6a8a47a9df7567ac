package policies

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// every has all policies in one mode, with rules of each kind.
func every(mode string) string { return strings.ReplaceAll(everyPolicy, "MODE", mode) }

const everyPolicy = `
excludedNamespaces: [vault]
aws: {accountID: "111122223333"}
azure: {tenantID: 00000000-0000-4000-8000-00000000000a}
gcp: {defaultProvider: projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/home}
broker: {image: {repository: podpass-broker, tag: test}}
kube:
  clusters:
    prod-us: {server: "https://us.example.com", audience: "https://us.example.com"}
    test: {server: "https://test.example.com", audience: "https://test.example.com"}
policies:
  contact: platform@example.com
  identities:
    mode: MODE
    rules:
      - name: shop
        namespaces: [shop, shop-*]
        aws: {roles: ["arn:aws:iam::111122223333:role/shop-*", "arn:aws:iam::111122223333:role/team/?"], accounts: ["4444*"]}
        gcp:
          serviceAccounts: ["orders@example-project.iam.gserviceaccount.com"]
          projects: ["shop-*", "example.com:shop"]
          providers: ["projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/*"]
        azure: {clientIDs: ["00000000-0000-4000-8000-0000000000AB"], tenantIDs: ["00000000-0000-4000-8000-00000000000[bB]"]}
        oidc: {audiences: [vault, "https://vault.example.com/*"], tokenSources: [keycloak]}
        kube: {clusters: ["prod-*"]}
      - name: labelled
        namespaceSelector:
          matchLabels: {team: payments}
          matchExpressions:
            - {key: stage, operator: In, values: [test, prod]}
            - {key: frozen, operator: DoesNotExist}
        aws: {roles: ["arn:aws:iam::111122223333:role/payments"]}
        gcp: {serviceAccounts: [a@b.iam.gserviceaccount.com]}
      - name: listed
        namespaces: [listed]
        oidc: {audiences: ["*", "https://*", "https://vault.example.com/*"]}
        kube: {clusters: [prod-us, test]}
  injected:
    mode: MODE
    images: ["mirror.example.com/podpass-broker:*"]
  registrations: {mode: MODE}
  staticKeys:
    mode: MODE
    allowedFiles: [/etc/federation/*.json]
  audiences:
    mode: MODE
    rules:
      - name: listed
        namespaces: [listed]
        audiences: [sts.amazonaws.com, "https://vault.example.com/*", "https://us.example.com"]
      - name: trusted
        namespaces: [trusted]
        audiences: [sts.amazonaws.com]
        apiServer: true
`

// TestModes: what a mode renders. Off is the default, and the word in YAML 1.1, which
// takes it for false.
func TestModes(t *testing.T) {
	for name, values := range map[string]string{"by default": "{}", "off": every(`"off"`), "unquoted": every("off"), "values of an older release": "policies: null"} {
		if _, list, bindings := policies(t, values); len(list)+len(bindings) > 0 {
			t.Errorf("%s: %d policies, %d bindings", name, len(list), len(bindings))
		}
	}
	type policy struct {
		FailurePolicy admissionregistrationv1.FailurePolicyType
		Actions       []admissionregistrationv1.ValidationAction
	}
	denies := policy{"Fail", []admissionregistrationv1.ValidationAction{"Deny"}}
	warns := policy{"Ignore", []admissionregistrationv1.ValidationAction{"Warn", "Audit"}}
	names := []string{"identities", "identities-pods", "injected", "registrations", "static-keys", "audiences", "audiences-pods", "audiences-requests"}
	for mode, want := range map[string]policy{"enforce": denies, "warn": warns} {
		all := map[string]policy{"static-keys-workloads": warns, "static-keys-cronjobs": warns} // whatever the mode
		for _, name := range names {
			all[name] = want
		}
		_, list, bindings := policies(t, every(mode))
		got := map[string]policy{}
		for i, p := range list {
			if b := bindings[i]; b.Name != p.Name || b.Spec.PolicyName != p.Name {
				t.Errorf("%s has the binding %s, which is for %s", p.Name, b.Name, b.Spec.PolicyName)
			}
			got[strings.TrimPrefix(p.Name, "podpass-")] = policy{*p.Spec.FailurePolicy, bindings[i].Spec.ValidationActions}
		}
		if d := cmp.Diff(all, got); d != "" {
			t.Errorf("%s: %s", mode, d)
		}
	}
}

// TestRefusals: what is not rendered, and with which words.
func TestRefusals(t *testing.T) {
	const rule = "policies: {identities: {mode: enforce, rules: [{name: shop, namespaces: [shop-*], aws: {roles: ['arn:aws:iam::111122223333:role/shop-*']}}]}}\n"
	mapping := func(namespace, annotation string) string {
		return rule + "mappings: [{namespace: '" + namespace + "', serviceAccount: orders, annotations: {" + annotation + "}}]\n"
	}
	for name, tt := range map[string]struct {
		values, want string
		args         []string
	}{
		"Kubernetes 1.29":                          {rule, `policies.identities.mode: enforce needs ValidatingAdmissionPolicies (admissionregistration.k8s.io/v1), which Kubernetes has since 1.30, and this is v1.29.4: set it to "off", or upgrade the cluster first`, []string{"--kube-version", "1.29.4"}},
		"a mode that is none":                      {"policies: {injected: {mode: deny}}", "policies/injected/mode", nil},
		"a rule about no namespace":                {"policies: {identities: {rules: [{name: shop}]}}", "policies/identities/rules/0", nil},
		"a rule about an empty list":               {"policies: {audiences: {rules: [{name: shop, namespaces: []}]}}", "policies/audiences/rules/0", nil},
		"an account that is a number":              {"policies: {identities: {rules: [{name: shop, namespaces: [shop], aws: {accounts: [111122223333]}}]}}", "accounts/0", nil},
		"a glob with an open class":                {"policies: {identities: {mode: warn, rules: [{name: shop, namespaces: ['shop-[a']}]}}", `policies.identities.rules[0].namespaces[0]: "shop-[a" is not a glob: a [ needs its ], with characters or ranges between them, and a \ the character that it stands before`, nil},
		"a glob with an empty class":               {"policies: {identities: {mode: warn, rules: [{name: shop, namespaces: ['shop-[]']}]}}", `"shop-[]" is not a glob`, nil},
		"a glob that ends in its escape":           {"policies: {injected: {mode: warn, images: ['a\\']}}", `policies.injected.images[0]: "a\\" is not a glob`, nil},
		"a mapping of a role that is not allowed":  {mapping("shop-a", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/orders'"), `mappings[0].annotations: WI300: asks for the AWS role "arn:aws:iam::111122223333:role/orders", and rule shop of policies.identities, which covers the namespaces "shop-a", does not allow it: add it to the rule, or take the mapping out`, nil},
		"a mapping of more namespaces than a rule": {mapping("*", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/shop-a'"), `mappings[0].annotations: WI300: asks for the AWS role "arn:aws:iam::111122223333:role/shop-a", and no rule of policies.identities covers the namespaces "*": write one whose namespaces do, or a mapping for fewer namespaces`, nil},
		"a mapping of a further role":              {mapping("shop-a", "podpass.io/aws-role-arn: 'arn:aws:iam::111122223333:role/shop-a', podpass.io/aws-role-arn.b: 'arn:aws:iam::111122223333:role/b'"), `asks for the AWS role "arn:aws:iam::111122223333:role/b"`, nil},
		"a mapping of a chain":                     {mapping("shop-a", "podpass.io/aws-role-arn: 'arn:aws:iam::111122223333:role/shop-a', podpass.io/aws-assume-role-arn: 'arn:aws:iam::111122223333:role/shop-b,arn:aws:iam::999999999999:role/c'"), `asks for the AWS role "arn:aws:iam::999999999999:role/c"`, nil},
		"a mapping of a service account":           {"gcp: {defaultProvider: projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/home}\n" + mapping("shop-a", "podpass.io/gcp-service-account: a@example-project.iam.gserviceaccount.com"), `WI301: asks for the Google service account "a@example-project.iam.gserviceaccount.com"`, nil},
		"a mapping of a provider":                  {mapping("shop-a", "podpass.io/gcp-provider: projects/1/locations/global/workloadIdentityPools/pool/providers/prov"), `WI302: asks for the principals of the workload identity provider "projects/1/locations/global/workloadIdentityPools/pool/providers/prov"`, nil},
		"a mapping of a client":                    {mapping("shop-a", "podpass.io/azure-client-id: 00000000-0000-4000-8000-000000000001, podpass.io/azure-tenant-id: example.com"), `WI303: asks for the Azure client "00000000-0000-4000-8000-000000000001@example.com"`, nil},
		"a mapping of an audience":                 {mapping("shop-a", "podpass.io/oidc-audiences: v=vault"), `WI304: asks for the token for the audience "vault"`, nil},
		"a mapping of a token source":              {"oidc: {tokenSources: {keycloak: {tokenURL: https://login.example.com/token, audience: keycloak}}}\n" + mapping("shop-a", "podpass.io/oidc-token-sources: keycloak"), `WI304: asks for the token source "keycloak"`, nil},
		"a mapping of a cluster":                   {"kube: {clusters: {test: {server: https://test.example.com, audience: test}}}\n" + mapping("shop-a", "podpass.io/kube-clusters: 'in-cluster,test'"), `WI304: asks for the cluster "test"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := render(t, tt.values, tt.args...); !strings.Contains(got, tt.want) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
	for name, values := range map[string]string{
		"its own namespace":         mapping("shop-a", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/shop-a'"),
		"a glob that the rule's is": mapping("shop-*", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/shop-a'"),
		"a narrower glob":           mapping("shop-a[bc]?", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/shop-a'"),
		"a bare name":               "aws: {accountID: '111122223333'}\n" + mapping("shop-a", "eks.amazonaws.com/role-arn: shop-a"),
		"warned of only":            strings.Replace(mapping("other", "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/b'"), "enforce", "warn", 1),
	} {
		if _, refused := render(t, values); refused != "" {
			t.Errorf("%s: %s", name, refused)
		}
	}
}
