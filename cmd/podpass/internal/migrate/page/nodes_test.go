package page

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

// TestNodes: the gravest first, each followed by what it leads to; what is shared is one
// node; nothing that was found is left out.
func TestNodes(t *testing.T) {
	const odd = "<b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd"
	var long string
	for range 100 {
		long += "long"
	}
	want := []string{
		"0 0 [orders-key] error · aws-access-key · certain [1 8]",
		"1 1 [Secret aws] shop · secret-key [2 5]",
		"2 2 [app] env AWS_SECRET_ACCESS_KEY, and 1 more [3]",
		"3 3 [Deployment orders] shop · Helm release shop [4]",
		"4 4 [orders] shop · asks for aws []",
		"5 2 [job] env AWS_SECRET_ACCESS_KEY, and 1 more [6]",
		"6 3 [CronJob reports] shop [7]",
		"7 4 [default] shop · asks for no identity []",
		"8 1 [Secret aws] old · secret-key []",
		"9 0 [reports@shop.example] warning · gcp-service-account-key · certain [10]",
		"10 1 [Secret reports] shop · key.json [5]",
		"11 0 [" + odd + "] info · azure-client-secret · possible [12]",
		"12 1 [Secret " + odd + "] edge · " + long + " [13]",
		"13 2 [the pod itself] annotation " + odd + " [14]",
		"14 3 [Pod " + odd + "] edge [15]",
		"15 4 [" + odd + "] edge · asks for no identity []",
		"16 1 [Secret locked/db] not read · you may not get it [17]",
		"17 2 [sidecar] env PASSWORD [3]",
	}
	var got []string
	nodes := nodesOf(example())
	for i, n := range nodes {
		got = append(got, fmt.Sprintf("%d %d [%s] %s %v", i, n.Column, n.Name, n.Note, n.Next))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	facts := []fact{
		{"object", "Secret shop/reports"}, {"keys", "key.json"}, {"created", "2025-01-25, 400 days ago"},
		{"made from", "SealedSecret shop/reports"}, {"made in file", "apps/reports.yaml"}, {"uses", "1 file"},
	}
	if diff := cmp.Diff(facts, nodes[10].Facts); diff != "" {
		t.Error(diff)
	}
	facts = []fact{{"reads", "Secret shop/aws: env AWS_SECRET_ACCESS_KEY"}, {"reads", "Secret shop/reports: file /var/gcp/key.json"}}
	if diff := cmp.Diff(facts, nodes[5].Facts); diff != "" {
		t.Error(diff)
	}
}

// TestUnnamed: a credential of which little is known has a name all the same.
func TestUnnamed(t *testing.T) {
	for name, test := range map[string]struct {
		credential graph.Credential
		want       string
	}{
		"without an ID":  {graph.Credential{Kind: statickey.AzureSAS, Fingerprint: "0123456789abcdef"}, "0123456789abcdef"},
		"that is unread": {graph.Credential{Kind: statickey.AzureSAS}, "azure-sas"},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := nodesOf(&graph.Graph{Credentials: []graph.Credential{test.credential}})
			if len(nodes) != 1 || nodes[0].Name != test.want {
				t.Errorf("%+v, want one named %s", nodes, test.want)
			}
		})
	}
}

func TestHead(t *testing.T) {
	want := head{
		Tool: "podpass migrate scan", Summary: "3 static credentials", Source: "context production",
		Looked: "Deployment 12, Secret 40", Time: "2026-03-01 09:30:00 UTC", Version: "v1.2.3",
		Severities:  []count{{"error", 1}, {"warning", 1}, {"info", 1}},
		Confidences: []count{{"certain", 2}, {"possible", 1}},
		Clouds:      []count{{"aws", 1}, {"azure", 1}, {"gcp", 1}},
		Unread:      []string{"Secret locked/db: you may not get it", "Secrets of vault: <b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd"},
	}
	if diff := cmp.Diff(want, headOf(example())); diff != "" {
		t.Error(diff)
	}
}

func TestDate(t *testing.T) {
	for want, at := range map[string]time.Time{
		"":                         {},
		"2026-03-01, that day":     scanned.Add(-time.Hour),
		"2026-02-28, 1 day ago":    scanned.Add(-25 * time.Hour),
		"2025-03-01, 365 days ago": scanned.AddDate(-1, 0, 0),
		"2026-03-11, in 10 days":   scanned.AddDate(0, 0, 10),
	} {
		if got := date(at, scanned); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	if got := date(scanned, time.Time{}); got != "2026-03-01" {
		t.Errorf("of a scan without a time: %q", got)
	}
}

// full is a disk that is.
type full struct{}

var errFull = errors.New("no space")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	if err := Write(full{}, example()); !errors.Is(err, errFull) {
		t.Errorf("a page that could not be written: %v", err)
	}
}
