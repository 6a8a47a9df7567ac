package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/statickey"
)

// nasty is a name that is markup, ends a script, and turns the direction of its text.
const nasty = "<b>\"it's\"</b></script><!--\x07\u202e&amp;\n"

var scanned = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// example is a graph that has one of each: a shared key, one that nobody reads, one of a
// file, names that are none.
func example() *graph.Graph {
	secret := func(namespace, name string) graph.Object {
		return graph.Object{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
	}
	deployment := func(namespace, name string) graph.Object {
		return graph.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
	}
	return &graph.Graph{
		APIVersion: graph.Version, Tool: "podpass migrate scan", Version: "v1.2.3", Time: scanned, Source: "context production",
		Looked: map[string]int{"Secret": 40, "Deployment": 12},
		Credentials: []graph.Credential{
			{
				Fingerprint: "0123456789abcdef", Cloud: "gcp", Kind: statickey.GCPServiceAccountKey, ID: "reports@shop.example", Account: "shop",
				Confidence: statickey.Certain, Evidence: []string{"its private key parses"}, Severity: finding.Warning,
				Places: []graph.Place{{
					Object: secret("shop", "reports"), Keys: []string{"key.json"}, Created: scanned.AddDate(0, 0, -400),
					From: &graph.Object{Kind: "SealedSecret", Namespace: "shop", Name: "reports", File: "apps/reports.yaml"},
					Uses: []graph.Use{{Workload: 1, Container: "job", By: graph.ByFile, As: "/var/gcp/key.json"}},
				}},
			},
			{
				Fingerprint: "fedcba9876543210", Cloud: "aws", Kind: statickey.AWSAccessKey, ID: "orders-key", Account: "123456789012",
				Confidence: statickey.Certain, Evidence: []string{"its ID has the form of an access key's", "its secret has 40 characters"}, Severity: finding.Error,
				Places: []graph.Place{
					{
						Object: secret("shop", "aws"), Keys: []string{"secret-key"}, IDKeys: []string{"access-key"},
						Created: scanned.AddDate(0, 0, -30), Writer: "helm", Written: scanned.AddDate(0, 0, -1),
						Uses: []graph.Use{
							{Workload: 0, Container: "app", By: graph.ByEnv, As: "AWS_SECRET_ACCESS_KEY"},
							{Workload: 0, Container: "app", By: graph.ByFile, As: "/aws/credentials"},
							{Workload: 1, Container: "job", By: graph.ByEnv, As: "AWS_SECRET_ACCESS_KEY"},
						},
					},
					{Object: secret("old", "aws"), Keys: []string{"secret-key"}},
				},
			},
			{
				Cloud: "azure", Kind: statickey.AzureClientSecret, ID: nasty, Confidence: statickey.Possible, Evidence: []string{nasty},
				Ends: scanned.AddDate(0, 0, 10), Severity: finding.Info,
				Places: []graph.Place{{
					Object: secret("edge", nasty), Keys: []string{strings.Repeat("long", 100)}, Writer: nasty,
					Uses: []graph.Use{{Workload: 2, By: graph.ByAnnotation, As: nasty}},
				}},
			},
		},
		Workloads: []graph.Workload{
			{Object: deployment("shop", "orders"), ServiceAccount: "orders", Template: "/spec/template", Pods: 3, Owner: "Helm release shop", Clouds: []string{"aws"}},
			{Object: graph.Object{APIVersion: "batch/v1", Kind: "CronJob", Namespace: "shop", Name: "reports"}, Template: "/spec/jobTemplate/spec/template"},
			{Object: graph.Object{APIVersion: "v1", Kind: "Pod", Namespace: "edge", Name: nasty}, ServiceAccount: nasty},
		},
		Unread: []graph.Unread{
			{What: "Secret locked/db", Why: "you may not get it", Uses: []graph.Use{{Workload: 0, Container: "sidecar", By: graph.ByEnv, As: "PASSWORD"}}},
			{What: "Secrets of vault", Why: nasty},
		},
	}
}

// large is a graph of n credentials, each in a place of its own, for a workload of its own.
func large(n int) *graph.Graph {
	g := &graph.Graph{Tool: "podpass migrate scan", Version: "v1.2.3", Time: scanned, Source: "context large"}
	kinds := []statickey.Kind{statickey.AWSAccessKey, statickey.GCPServiceAccountKey, statickey.AzureClientSecret, statickey.KubernetesToken}
	clouds := []string{"aws", "gcp", "azure", "kubernetes"}
	for i := range n {
		namespace := fmt.Sprintf("team-%d", i/50)
		g.Workloads = append(g.Workloads, graph.Workload{
			Object:         graph.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: fmt.Sprintf("service-%d", i)},
			ServiceAccount: fmt.Sprintf("account-%d", i/5), Pods: 2, Owner: "Helm release " + namespace,
		})
		uses := []graph.Use{{Workload: i, Container: "app", By: graph.ByEnv, As: "AWS_SECRET_ACCESS_KEY"}}
		if i == 0 { // one that many read
			for w := range n / 5 {
				uses = append(uses, graph.Use{Workload: w * 5, Container: "proxy", By: graph.ByFile, As: "/etc/key"})
			}
		}
		g.Credentials = append(g.Credentials, graph.Credential{
			Fingerprint: fmt.Sprintf("%016x", i), Cloud: clouds[i%4], Kind: kinds[i%4], ID: fmt.Sprintf("credential-%d", i), Account: fmt.Sprint(100000000000 + i),
			Confidence: statickey.Likely, Evidence: []string{"its shape fits", "so does the name beside it"},
			Severity: []finding.Severity{finding.Error, finding.Warning, finding.Info}[i%3],
			Places: []graph.Place{{
				Object: graph.Object{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: fmt.Sprintf("secret-%d", i)},
				Keys:   []string{"secret-key"}, Created: scanned.AddDate(0, 0, -i), Writer: "kubectl", Uses: uses,
			}},
		})
	}
	return g
}
