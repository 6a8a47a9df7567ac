package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/federation/finding"
)

func example() *Report {
	pod := func(name string) Finding {
		return Finding{Group: "Deployment shop/orders", Finding: finding.Finding{
			Code: "WI144", Severity: finding.Error, Where: "pod shop/" + name, Message: "it runs without <b>aws</b>", Expected: "injected", Seen: "not injected",
			Fix: "create it again", Command: "kubectl get pod " + name,
		}}
	}
	r := &Report{
		Tool: "podpass doctor", Version: "1.2.3", Time: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Cluster: "blue",
		Looked: []Count{{"ServiceAccounts", 1}, {"pods", 3}},
		Checks: []Check{
			{Name: "cluster", About: "it answers", Result: Sound},
			{Name: "pod", About: "it has what it should", Result: Found, Codes: []string{"WI144"}, Because: []string{"WI001"}},
			{Name: "network", About: "it gets out", Result: Skipped, Because: []string{"WI144"}},
			{Name: "exchange", About: "clouds agree", Result: NotRun, Because: []string{"--exchange asks for it"}},
		},
		Findings: []Finding{
			{Finding: finding.Finding{Code: "WI143", Severity: finding.Info, Where: "pod shop/a", Message: "opted out\x1b[31m\nby its label"}},
			pod("orders-b"), pod("orders-a"),
			{Finding: finding.Finding{Code: "WI129", Severity: finding.Warning, Where: "Deployment x/y", Message: "a replica is down"}, File: "deploy/of the shop.yaml"},
		},
	}
	r.Sort()
	return r
}

func written(t *testing.T, r *Report, format string, colour bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	const want = `RESULT   CHECK     WHY
sound    cluster
found    pod       WI144; in part skipped because of WI001
skipped  network   because of WI144
not run  exchange  --exchange asks for it

SEVERITY  CODE   WHERE                                                   FOUND
error     WI144  pod shop/orders-a and 1 more of Deployment shop/orders  it runs without <b>aws</b>
                                                                         expected: injected
                                                                         seen: not injected
                                                                         fix: create it again
warning   WI129  Deployment x/y                                          a replica is down
info      WI143  pod shop/a                                              opted out?[31m by its label

2 errors, 1 warning, 1 for information in 1 ServiceAccount, 3 pods
`
	if diff := cmp.Diff(want, written(t, example(), "table", false)); diff != "" {
		t.Error(diff)
	}
	wide := written(t, example(), "wide", false)
	for _, part := range []string{"run: kubectl get pod orders-a", "cluster   it answers"} {
		if !strings.Contains(wide, part) {
			t.Errorf("wide does not say %q:\n%s", part, wide)
		}
	}
	if painted := written(t, example(), "table", true); !strings.Contains(painted, "\x1b[31merror\x1b[0m     WI144") || !strings.Contains(painted, "\x1b[32msound\x1b[0m") {
		t.Errorf("no colours: %q", painted)
	}
}

func TestData(t *testing.T) {
	var got Report
	if err := json.Unmarshal([]byte(written(t, example(), "json", false)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*example(), got); diff != "" {
		t.Error(diff)
	}
	if s := written(t, &Report{}, "json", false); !strings.Contains(s, `"findings": []`) || !strings.Contains(s, `"checks": []`) {
		t.Errorf("no lists: %s", s)
	}
	if s := written(t, example(), "yaml", false); !strings.Contains(s, "\n- code: WI144\n") {
		t.Error(s)
	}
}

// TestSARIF: the members that readers of SARIF 2.1.0 demand, by name.
func TestSARIF(t *testing.T) {
	var got struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex int    `json:"ruleIndex"`
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation *struct{ ArtifactLocation struct{ URI string } }
					LogicalLocations []struct {
						FullyQualifiedName string `json:"fullyQualifiedName"`
					} `json:"logicalLocations"`
				}
				PartialFingerprints map[string]string `json:"partialFingerprints"`
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, example(), "sarif", false)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "2.1.0" || len(got.Runs) != 1 {
		t.Fatalf("%+v", got)
	}
	run := got.Runs[0]
	var lines, rules []string
	prints := map[string]bool{}
	for _, r := range run.Results {
		lines = append(lines, r.RuleID+" "+r.Level+" "+r.Locations[0].LogicalLocations[0].FullyQualifiedName)
		if at := r.Locations[0].PhysicalLocation; (at != nil) != (r.RuleID == "WI129") || at != nil && at.ArtifactLocation.URI != "deploy/of%20the%20shop.yaml" {
			t.Errorf("%s is at %+v", r.RuleID, at)
		}
		rules = append(rules, run.Tool.Driver.Rules[r.RuleIndex].ID)
		prints[r.PartialFingerprints["podpass/v1"]] = true
	}
	want := []string{"WI144 error pod shop/orders-a", "WI144 error pod shop/orders-b", "WI129 warning Deployment x/y", "WI143 note pod shop/a"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"WI144", "WI144", "WI129", "WI143"}, rules); diff != "" {
		t.Error(diff)
	}
	if len(prints) != 4 || run.Tool.Driver.Name != "podpass doctor" || !strings.Contains(run.Results[0].Message.Text, "fix: create it again") {
		t.Errorf("%+v", run)
	}
}

func TestSummary(t *testing.T) {
	for name, test := range map[string]struct {
		findings []Finding
		summary  string
		status   int
	}{
		"nothing":     {nil, "no findings", exit.Sound},
		"information": {[]Finding{{Finding: finding.Finding{Severity: finding.Info}}}, "1 for information", exit.Sound},
		"warning":     {[]Finding{{Finding: finding.Finding{Severity: finding.Warning}}}, "1 warning", exit.Findings},
		"both":        {example().Findings, "2 errors, 1 warning, 1 for information", exit.Findings},
	} {
		r := &Report{Findings: test.findings}
		if got := r.Summary(); got != test.summary {
			t.Errorf("%s: %q", name, got)
		}
		if got := exit.Status(r.Err()); got != test.status {
			t.Errorf("%s: exit status %d, want %d", name, got, test.status)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, f := range Formats {
		if err := CheckFormat(f); err != nil {
			t.Error(err)
		}
	}
	if err := CheckFormat("xml"); err == nil {
		t.Error("xml is taken")
	}
}

// TestProgress: nothing for what is quick; a line for what is not, which is gone at the end.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w bytes.Buffer
		p := startProgress(t.Context(), &w)
		p.Say("reading pods: %d", 1)
		time.Sleep(900 * time.Millisecond)
		p.End()
		if w.Len() > 0 {
			t.Errorf("said %q of what was quick", w.String())
		}
		p = startProgress(t.Context(), &w)
		p.Say("reading pods: %d", 2)
		time.Sleep(1100 * time.Millisecond)
		p.Say("reading pods: %d", 3)
		time.Sleep(200 * time.Millisecond)
		p.End()
		if got, want := w.String(), "\r\x1b[Kreading pods: 2\r\x1b[Kreading pods: 3\r\x1b[K"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	var w bytes.Buffer
	p := StartProgress(t.Context(), &w)
	p.Say("no terminal")
	p.End()
	if w.Len() > 0 || Colour(&w) {
		t.Error("a buffer is taken for a terminal")
	}
}
