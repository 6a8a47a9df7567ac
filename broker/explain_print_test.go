package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation"
)

// TestExplanationForPeople: what `explain` prints, and what it ends with.
func TestExplanationForPeople(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(d time.Duration) *time.Time { return new(now.Add(d)) }
	e := &broker.Explanation{
		Version: "1.2.3", Time: now,
		Tokens: []broker.TokenState{
			{Cloud: "aws", Claims: &federation.Claims{Issuer: "https://i", Subject: "s", Audiences: []string{"a&b;", "c"}, Expiry: now.Add(90 * time.Minute)}},
			{Cloud: "gcp", Error: "no such file"},
		},
		Credentials: []broker.CredentialState{
			{Cloud: "aws", Name: "aws/reports", Own: true, ValidUntil: in(time.Hour), NextExchange: in(30*time.Minute + 400*time.Millisecond), Principal: "arn"},
			{Cloud: "azure", Name: "azure", Own: true, NextExchange: in(-time.Second)},
			{Cloud: "gcp", Name: "gcp", Own: true, Failures: 3, LastError: &broker.ErrorDetails{Kind: federation.KindDenied, Code: "E1", Message: "no", Hint: "do this"}},
			{Cloud: "gcp", Key: "k", Failures: 1, LastError: &broker.ErrorDetails{Kind: federation.KindConfig, Code: "E2", Message: "E2: no; hint: that", Hint: "that"}},
			{Cloud: "gcp", Key: "l"},
		},
	}
	var got strings.Builder
	if err := e.Print(&got); err != nil {
		t.Fatal(err)
	}
	// How columns are aligned is the tabwriter's; two blanks stand between them.
	for _, aligned := range []string{
		"\naws    https://i  s        a&b;,c    1h30m0s\n", // text, and no HTML
		"\naws/reports  own         1h0m0s     30m0s          arn\n",
	} {
		if !strings.Contains(got.String(), aligned) {
			t.Errorf("want%sin\n%s", aligned, got.String())
		}
	}
	var lines []string
	for line := range strings.Lines(got.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"podpass-broker 1.2.3",
		"",
		"CLOUD TOKEN SUBJECT AUDIENCE EXPIRES",
		"aws https://i s a&b;,c 1h30m0s",
		"gcp no such file",
		"",
		"CLOUD CREDENTIAL VALID FOR NEXT EXCHANGE PRINCIPAL",
		"aws/reports own 1h0m0s 30m0s arn",
		"azure own - now",
		"gcp own - -",
		"Denied, 3 tries: E1: no; hint: do this",
		"gcp asked for - -",
		"Config, 1 tries: E2: no; hint: that",
		"gcp asked for - -",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const failed = "azure: the cloud has not answered yet\ngcp: Denied: E1: no; hint: do this"
	if err := e.Err(); err == nil || err.Error() != failed {
		t.Errorf("%v, want %s", err, failed)
	}
	e.Credentials = e.Credentials[:1]
	if err := e.Err(); err != nil {
		t.Errorf("all are there: %v", err)
	}
}
