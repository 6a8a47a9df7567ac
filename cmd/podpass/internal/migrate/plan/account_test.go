package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

func TestIdentity(t *testing.T) {
	named := Identities{GCPServiceAccount: "apps@example-project.iam.gserviceaccount.com", AzureClientID: "client", AzureTenantID: "tenant"}
	at := []graph.Place{{Object: graph.Object{Kind: "Secret", Namespace: "shop", Name: "keys"}}}
	for name, test := range map[string]struct {
		identities  Identities
		credentials []graph.Credential
		has         []string
		want        map[string]string
		byHand      string
	}{
		"AWS, of the key's account": {
			credentials: []graph.Credential{{Cloud: "aws", Kind: statickey.AWSAccessKey, ID: "AKIA", Account: "111122223333"}},
			want:        map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shop-orders"},
		},
		"AWS, two keys of one account": {
			credentials: []graph.Credential{{Cloud: "aws", Kind: statickey.AWSAccessKey, Account: "111122223333"}, {Cloud: "aws", Kind: statickey.AWSAccessKey, Account: "111122223333"}},
			want:        map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shop-orders"},
		},
		"AWS, keys of two accounts": {
			credentials: []graph.Credential{{Cloud: "aws", Kind: statickey.AWSAccessKey, Account: "111122223333"}, {Cloud: "aws", Kind: statickey.AWSAccessKey, Account: "444455556666"}},
			want:        map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shop-orders"},
			byHand:      "its keys are of two identities",
		},
		"AWS, no account": {
			credentials: []graph.Credential{{Cloud: "aws", Kind: statickey.AWSAccessKey, Places: at}},
			want:        map[string]string{}, byHand: "key in Secret shop/keys does not say its account: name the role with --role-arn",
		},
		"AWS, a role by name": {
			identities:  Identities{RoleARN: "arn:aws-cn:iam::123456789012:role/NAMESPACE/SERVICEACCOUNT"},
			credentials: []graph.Credential{{Cloud: "aws", Kind: statickey.AWSBedrockKey}},
			want:        map[string]string{"eks.amazonaws.com/role-arn": "arn:aws-cn:iam::123456789012:role/shop/orders"},
		},
		"Google, the key's own": {
			identities:  named,
			credentials: []graph.Credential{{Cloud: "gcp", Kind: statickey.GCPServiceAccountKey, ID: "orders@example-project.iam.gserviceaccount.com"}},
			want:        map[string]string{"iam.gke.io/gcp-service-account": "orders@example-project.iam.gserviceaccount.com"},
		},
		"Google, a person's": {
			credentials: []graph.Credential{{Cloud: "gcp", Kind: statickey.GCPAuthorizedUser, ID: "x.apps.googleusercontent.com"}},
			want:        map[string]string{}, byHand: "name one with --gcp-service-account",
		},
		"Google, HMAC with one that is named": {
			identities:  named,
			credentials: []graph.Credential{{Cloud: "gcp", Kind: statickey.GCPHMACKey}},
			want:        map[string]string{"iam.gke.io/gcp-service-account": "apps@example-project.iam.gserviceaccount.com"},
		},
		"Azure, the key's own": {
			identities:  named,
			credentials: []graph.Credential{{Cloud: "azure", Kind: statickey.AzureClientSecret, ID: "own", Account: "its"}},
			want:        map[string]string{"azure.workload.identity/client-id": "own", "azure.workload.identity/tenant-id": "its"},
		},
		"Azure, a storage key": {
			identities:  named,
			credentials: []graph.Credential{{Cloud: "azure", Kind: statickey.AzureStorageKey, ID: "shop"}},
			want:        map[string]string{"azure.workload.identity/client-id": "client", "azure.workload.identity/tenant-id": "tenant"},
		},
		"Azure, a SAS of nobody": {
			credentials: []graph.Credential{{Cloud: "azure", Kind: statickey.AzureSAS, ID: "shop"}},
			want:        map[string]string{}, byHand: "--azure-client-id",
		},
		"what it has already": {
			credentials: []graph.Credential{{Cloud: "azure", Kind: statickey.AzureSAS}, {Cloud: "gcp", Kind: statickey.GCPHMACKey}},
			has:         []string{"azure", "gcp"}, want: map[string]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.identities.identity(test.credentials, test.has, "shop", "orders")
			if diff := cmp.Diff(test.want, got.annotations); diff != "" {
				t.Error(diff)
			}
			if text := strings.Join(got.byHand, "; "); test.byHand == "" && text != "" || !strings.Contains(text, test.byHand) {
				t.Errorf("by hand: %q, want %q", text, test.byHand)
			}
		})
	}
}

// TestChoose: nobody gets rights by a ServiceAccount that it shares.
func TestChoose(t *testing.T) {
	work := func(kind, name, account string, clouds ...string) graph.Workload {
		return graph.Workload{Object: graph.Object{Kind: kind, Namespace: "shop", Name: name}, ServiceAccount: account, Clouds: clouds}
	}
	there := map[ref]account{{"ServiceAccount", "shop", "taken"}: {}, {"ServiceAccount", "shop", "made"}: {}}
	for name, test := range map[string]struct {
		workloads []graph.Workload
		keys      []string
		want      []choice
	}{
		"its own":               {[]graph.Workload{work("Deployment", "a", "own")}, []string{"1"}, []choice{{name: "own"}}},
		"default":               {[]graph.Workload{work("Deployment", "a", "default")}, []string{"1"}, []choice{{name: "a", from: "default"}}},
		"a name taken":          {[]graph.Workload{work("Deployment", "taken", "default")}, []string{"1"}, []choice{{name: "taken-deployment", from: "default"}}},
		"made by a former plan": {[]graph.Workload{work("Deployment", "made", "default")}, []string{"1"}, []choice{{name: "made", from: "default"}}},
		"shared, with the same keys": {
			[]graph.Workload{work("Deployment", "a", "s"), work("Deployment", "b", "s")}, []string{"1", "1"}, []choice{{name: "s"}, {name: "s"}},
		},
		"shared, with other keys": {
			[]graph.Workload{work("Deployment", "a", "s"), work("Deployment", "b", "s")}, []string{"1", "2"}, []choice{{name: "a", from: "s"}, {name: "b", from: "s"}},
		},
		"shared, and one has its name": {
			[]graph.Workload{work("Deployment", "a", "b"), work("Deployment", "b", "b")}, []string{"1", "2"}, []choice{{name: "a", from: "b"}, {name: "b"}},
		},
		"two kinds of a name, with other keys": {
			[]graph.Workload{work("CronJob", "a", "default"), work("Deployment", "a", "default")}, []string{"1", "2"}, []choice{{name: "a", from: "default"}, {name: "a-deployment", from: "default"}},
		},
		"two kinds of a name, with the same": {
			[]graph.Workload{work("CronJob", "a", "default"), work("Deployment", "a", "default")}, []string{"1", "1"}, []choice{{name: "a", from: "default"}, {name: "a", from: "default"}},
		},
		"default that has the identity": {
			[]graph.Workload{work("Deployment", "a", "default", "aws")}, []string{"1"}, []choice{{name: "default", has: []string{"aws"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := accounts{inventory: &Inventory{accounts: there}, workloads: test.workloads, keys: test.keys, taken: map[ref]string{}}
			var got []choice
			for i := range test.workloads {
				got = append(got, a.choose(i, []string{"aws"}, func(name string, _ account) bool { return name == "made" }))
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(choice{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTurn(t *testing.T) {
	for kind, test := range map[string]struct {
		one, several int
	}{
		"CronJob": {turnRuns, turnRuns}, "Job": {turnRuns, turnRuns}, "Deployment": {turnSingleton, turnReplicas}, "StatefulSet": {turnOrdered, turnOrdered},
		"DaemonSet": {turnOrdered, turnOrdered}, "Pod": {turnSingleton, turnSingleton}, "Rollout": {turnCustom, turnCustom},
	} {
		if one, several := turn(kind, 1), turn(kind, 3); one != test.one || several != test.several {
			t.Errorf("%s: %d and %d, want %d and %d", kind, one, several, test.one, test.several)
		}
	}
}

func TestNameSteps(t *testing.T) {
	long := strings.Repeat("x", 60)
	var list []*draft
	for _, o := range []graph.Object{
		{Kind: "Deployment", Namespace: "shop", Name: "orders"}, {Kind: "Deployment", Namespace: "other", Name: "orders"}, {Kind: "CronJob", Namespace: "shop", Name: "a.b"},
		{Kind: "Pod", Namespace: "shop", Name: long + "1"}, {Kind: "Pod", Namespace: "shop", Name: long + "2"},
	} {
		list = append(list, &draft{Step: Step{Workload: o}})
	}
	nameSteps(list)
	var got []string
	for _, d := range list {
		got = append(got, d.Name)
	}
	want := []string{"shop-deployment-orders", "other-deployment-orders", "cronjob-a-b", "shop-pod-" + strings.Repeat("x", 38), "2-shop-pod-" + strings.Repeat("x", 36)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPermissions: each kind says how to see what the key may do, and how it is ended.
func TestPermissions(t *testing.T) {
	for kind, want := range map[statickey.Kind][2]string{
		statickey.AWSAccessKey:           {"aws iam list-attached-user-policies", "--status Inactive"},
		statickey.AWSBedrockKey:          {"aws iam list-service-specific-credentials", "update-service-specific-credential"},
		statickey.GCPServiceAccountKey:   {"None are needed", "gcloud iam service-accounts keys disable"},
		statickey.GCPAuthorizedUser:      {"is of a person", "gcloud auth application-default revoke"},
		statickey.GCPHMACKey:             {"gcloud storage hmac describe", "--deactivate"},
		statickey.AzureClientSecret:      {"az role assignment list", "az ad app credential delete --id ID --key-id KEYID"},
		statickey.AzureClientCertificate: {"az role assignment list", "--cert"},
		statickey.AzurePassword:          {"az role assignment list", "--account-enabled false"},
		statickey.AzureStorageKey:        {"Storage Blob Data Contributor", "az storage account keys renew"},
		statickey.AzureSAS:               {"those that it says in sp=", "az storage account keys renew"},
		statickey.AzureSharedAccessKey:   {"Azure Service Bus Data Receiver", "authorization rule"},
		statickey.KubernetesToken:        {"docs/clusters.md", "Delete the Secret"},
		statickey.RegistryPassword:       {"kubelet pulls with it", ""},
	} {
		c := graph.Credential{Kind: kind, ID: "ID", Confidence: statickey.Certain}
		if text := rights(c); !strings.Contains(strings.Join(strings.Fields(text), " "), want[0]) {
			t.Errorf("%s: %q is not in %s", kind, want[0], text)
		}
		if text := ending(c); !strings.Contains(text, want[1]) {
			t.Errorf("%s: %q is not in %s", kind, want[1], text)
		}
	}
}
