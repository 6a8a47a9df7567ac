package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

func workloadNamed(name string, change func(*graph.Workload)) graph.Workload {
	w := graph.Workload{Object: graph.Object{Kind: "Deployment", Namespace: "shop", Name: name}, ServiceAccount: name}
	change(&w)
	return w
}

func kept(in string, uses ...graph.Use) graph.Place {
	return graph.Place{Object: graph.Object{Kind: "Secret", Namespace: "shop", Name: in}, Keys: []string{"key"}, Uses: uses}
}

// TestOf: each state, by a workload of its own, one of them in two clouds.
func TestOf(t *testing.T) {
	marked, undo := kept("marked"), kept("undo")
	marked.Unused, undo.Kept = "2026-05-04T03:02:01Z", true
	g := &graph.Graph{
		Source: "blue",
		Workloads: []graph.Workload{
			workloadNamed("old", func(*graph.Workload) {}),
			workloadNamed("half", func(w *graph.Workload) { w.Clouds, w.Owner = []string{"aws", "gcp"}, "Helm release shop" }),
			workloadNamed("new", func(w *graph.Workload) { w.Clouds, w.Migration = []string{"aws"}, "podpass-migrate-new" }),
			workloadNamed("done", func(w *graph.Workload) { w.Clouds = []string{"azure"} }),
		},
		Credentials: []graph.Credential{
			{Cloud: "aws", Kind: statickey.AWSAccessKey, ID: "one", Places: []graph.Place{
				kept("shared", graph.Use{Workload: 0, By: graph.ByEnv, As: "AWS_SECRET_ACCESS_KEY"}, graph.Use{Workload: 1, By: graph.ByEnv, As: "AWS_SECRET_ACCESS_KEY"}), undo,
			}},
			{Cloud: "aws", Kind: statickey.AWSAccessKey, ID: "two", Places: []graph.Place{marked}},
		},
		Unread: []graph.Unread{{What: "Secret shop/x", Why: "you may not"}},
	}
	want := &Status{
		APIVersion: Version, Source: "blue",
		Counts: map[State]int{KeyOnly: 1, Both: 1, Federated: 1, Done: 2},
		Workloads: []Workload{
			{Workload: "Deployment shop/old", ServiceAccount: "old", Cloud: "aws", State: KeyOnly, Keys: []string{"Secret shop/shared"}},
			{Workload: "Deployment shop/half", ServiceAccount: "half", Cloud: "aws", State: Both, Keys: []string{"Secret shop/shared"}, Wins: "the key", Owner: "Helm release shop"},
			{Workload: "Deployment shop/new", ServiceAccount: "new", Cloud: "aws", State: Federated},
			{Workload: "Deployment shop/done", ServiceAccount: "done", Cloud: "azure", State: Done},
			{Workload: "Deployment shop/half", ServiceAccount: "half", Cloud: "gcp", State: Done, Owner: "Helm release shop"},
		},
		Left: []Left{
			{Place: "Secret shop/marked: key", Key: "aws-access-key two", Since: "2026-05-04T03:02:01Z"},
			{Place: "Secret shop/undo: key", Key: "aws-access-key one", Kept: true},
		},
		Unread: []string{"Secret shop/x: you may not"},
	}
	got := Of(g)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Sound() {
		t.Error("all is done, says Sound")
	}
	for name, s := range map[string]*Status{
		"a key":       {Counts: map[State]int{KeyOnly: 1}},
		"both":        {Counts: map[State]int{Both: 1}},
		"a way back":  {Counts: map[State]int{Federated: 1}},
		"a key left":  {Left: []Left{{}}},
		"not read":    {Unread: []string{"x"}},
		"all is done": {Counts: map[State]int{Done: 7}},
	} {
		if s.Sound() != (name == "all is done") {
			t.Errorf("%s: sound is %t", name, s.Sound())
		}
	}
	before := &Status{Counts: map[State]int{KeyOnly: 3, Both: 1}}
	if diff := cmp.Diff(map[State]int{KeyOnly: -2, Both: 0, Federated: 1, Done: 2}, got.Trend(before)); diff != "" {
		t.Error(diff)
	}
}

func TestWins(t *testing.T) {
	env := func(name string) graph.Use { return graph.Use{By: graph.ByEnv, As: name} }
	file := graph.Use{By: graph.ByFile, As: "/root/.aws/credentials"}
	for name, test := range map[string]struct {
		cloud  string
		uses   []graph.Use
		direct bool
		want   string
	}{
		"a variable of the SDKs":  {"aws", []graph.Use{env("AWS_SECRET_ACCESS_KEY")}, true, "the key"},
		"one of another cloud's":  {"azure", []graph.Use{env("AWS_SECRET_ACCESS_KEY")}, false, application},
		"a file":                  {"aws", []graph.Use{file}, false, "the key"},
		"a file, in direct mode":  {"aws", []graph.Use{file}, true, fileOrIdentity},
		"Google's file, direct":   {"gcp", []graph.Use{file}, true, "the key"},
		"a variable of its own":   {"aws", []graph.Use{env("S3_SECRET")}, false, application},
		"an argument":             {"aws", []graph.Use{{By: graph.ByArgument, As: "args"}}, false, application},
		"two that say the same":   {"aws", []graph.Use{env("AWS_SECRET_KEY"), file}, false, "the key"},
		"two that say other ones": {"aws", []graph.Use{env("S3_SECRET"), file}, false, "the key; " + application},
	} {
		if got := Wins(test.cloud, test.uses, test.direct); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
