package statickeys

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
)

const namespace = "shop"

// TestCases: what each of the 24 is, without its values.
func TestCases(t *testing.T) {
	t.Parallel()
	want := map[string][4]string{
		"env-literal":             {"aws", "aws-access-key", "Deployment env-literal", "container app: env AWS_SECRET_ACCESS_KEY"},
		"env-secret":              {"aws", "aws-access-key", "Secret env-secret", "secret-access-key"},
		"env-split":               {"aws", "aws-access-key", "Secret env-split", "aws-secret-access-key"},
		"envfrom":                 {"aws", "aws-access-key", "Secret envfrom", "AWS_SECRET_ACCESS_KEY"},
		"envfrom-prefix":          {"aws", "aws-access-key", "Secret envfrom-prefix", "SECRET_ACCESS_KEY"},
		"ini-file":                {"aws", "aws-access-key", "Secret ini-file", "credentials"},
		"ini-profiles":            {"aws", "aws-access-key", "Secret ini-profiles", "profiles.ini"},
		"json-config":             {"aws", "aws-access-key", "ConfigMap json-config", "config.json"},
		"connection-url":          {"aws", "aws-access-key", "Pod connection-url", "container app: env BACKUP_URL"},
		"s3-settings":             {"aws", "aws-access-key", "Secret s3-settings", "secretKey"},
		"arguments":               {"aws", "aws-access-key", "Rollout arguments", "container app: argument --aws-secret-access-key"},
		"annotation":              {"aws", "aws-access-key", "Cluster annotation", "annotation backup.example.com/s3-credentials"},
		"google-file":             {"gcp", "gcp-service-account-key", "Secret google-file", "key.json"},
		"google-projected":        {"gcp", "gcp-service-account-key", "Secret google-projected", "credentials"},
		"google-base64":           {"gcp", "gcp-service-account-key", "Secret google-base64", "google-credentials"},
		"google-user":             {"gcp", "gcp-authorized-user", "ConfigMap google-user", "application_default_credentials.json"},
		"google-hmac":             {"gcp", "gcp-hmac-key", "Rollout google-hmac", "container app: env GCS_SECRET_KEY"},
		"azure-secret":            {"azure", "azure-client-secret", "Secret azure-secret", "client-secret"},
		"azure-terraform":         {"azure", "azure-client-secret", "Secret azure-terraform", "ARM_CLIENT_SECRET"},
		"azure-certificate":       {"azure", "azure-client-certificate", "Secret azure-certificate", "client.pem"},
		"azure-connection-string": {"azure", "azure-storage-key", "ReplicaSet azure-connection-string", "container app: env AZURE_STORAGE_CONNECTION_STRING"},
		"azure-storage-key":       {"azure", "azure-storage-key", "Secret azure-storage-key", "azurestorageaccountkey"},
		"azure-sas":               {"azure", "azure-sas", "ConfigMap azure-sas", "target-url"},
		"cluster-token":           {"kubernetes", "kubernetes-token", "Secret cluster-token", "token"},
	}
	cases := Cases(namespace)
	got := map[string][4]string{}
	for _, c := range cases {
		got[c.Name] = [4]string{c.Cloud, c.Kind, c.Object, c.Key}
		if c.ID == "" || len(c.Secrets) == 0 {
			t.Errorf("%s has no ID or no secret", c.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(cases) != 24 {
		t.Errorf("%d cases, not 24", len(cases))
	}
}

// TestDecoys: there are 24, of which nothing is to be said, under names that no case has.
func TestDecoys(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range Cases(namespace) {
		names[c.Name] = true
	}
	decoys := Decoys(namespace)
	for _, d := range decoys {
		if d.Cloud != "" || d.Kind != "" || d.ID != "" {
			t.Errorf("%s is a decoy, and a scan should say %s %s of it", d.Name, d.Kind, d.ID)
		}
		if names[d.Name] {
			t.Errorf("%s is there twice", d.Name)
		}
		names[d.Name] = true
	}
	if len(decoys) != 24 {
		t.Errorf("%d decoys, not 24", len(decoys))
	}
}

// TestWorkloads: keys and decoys are in workloads of every kind, each object with a name of
// its own, in the namespace.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	want := []string{
		"Cluster", "CronJob", "DaemonSet", "Deployment", "Job", "Pod", "PodTemplate", "ReplicaSet", "ReplicationController", "Rollout", "StatefulSet",
	}
	for name, cases := range map[string][]Case{"cases": Cases(namespace), "decoys": Decoys(namespace)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kinds, seen := map[string]bool{}, map[string]bool{}
			for _, c := range cases {
				kind, _, _ := strings.Cut(c.Workload, " ")
				kinds[kind] = true
				own := map[string]bool{}
				for _, o := range c.Objects {
					this := o.GetKind() + " " + o.GetName()
					if seen[this] || o.GetNamespace() != namespace || len(validation.IsDNS1123Label(o.GetName())) > 0 {
						t.Errorf("%s: %s of namespace %q: twice, elsewhere, or no DNS label", c.Name, this, o.GetNamespace())
					}
					seen[this], own[this] = true, true
				}
				if !own[c.Workload] || !own[c.Object] {
					t.Errorf("%s: %s or %s is not among its objects", c.Name, c.Workload, c.Object)
				}
			}
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(kinds))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSecretsAreThere: what NotShown looks for is in the objects, so that it would be found;
// and in the one place that the case names.
func TestSecretsAreThere(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(Cases(namespace), Decoys(namespace)) {
		for i, secret := range c.Secrets {
			for _, o := range c.Objects {
				text := plain(o.Object)
				holds := o.GetKind()+" "+o.GetName() == c.Object
				if shown := shows(text, secret) != ""; shown != holds {
					t.Errorf("%s: secret %d is in %s %s: %v", c.Name, i, o.GetKind(), o.GetName(), shown)
				}
			}
		}
	}
}

// plain gives all strings of an object, with a Secret's data decoded.
func plain(part any) string {
	var all strings.Builder
	switch part := part.(type) {
	case map[string]any:
		for _, value := range part {
			all.WriteString(plain(value) + "\n")
		}
	case []any:
		for _, value := range part {
			all.WriteString(plain(value) + "\n")
		}
	case string:
		all.WriteString(part)
		if decoded, err := base64.StdEncoding.DecodeString(part); err == nil {
			all.WriteString("\n" + string(decoded))
		}
	}
	return all.String()
}
