// Package report shows findings: as a table for people, as JSON, YAML and SARIF for
// programs, and as one HTML page that can be attached to a ticket.
package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/finding"
)

// Report is what a command has looked at, and what it found.
type Report struct {
	// Tool is the command: "podpass doctor".
	Tool    string    `json:"tool"`
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	// Cluster names the kubeconfig's context; it may be empty.
	Cluster string `json:"cluster,omitempty"`
	// Looked says how many of what was looked at, in the order of the chain.
	Looked   []Count   `json:"looked,omitempty"`
	Checks   []Check   `json:"checks"`
	Findings []Finding `json:"findings"`
}

// Finding is one, and what it can be shown together with.
type Finding struct {
	finding.Finding
	// Group is the workload, of whose pods each may have the same: "Deployment
	// shop/orders"; empty: it stands alone.
	Group string `json:"group,omitempty"`
	// File that it is in, as it was named; empty: in none.
	File string `json:"file,omitempty"`
}

// Count is a number of things: "12 pods".
type Count struct {
	What string `json:"what"`
	N    int    `json:"n"`
}

// Result of one check.
type Result string

// A check that has Found something may be skipped for other objects; one that is
// Skipped ran for none. NotRun is one that nobody asked for, or that had no object.
const (
	Sound   Result = "sound"
	Found   Result = "found"
	Skipped Result = "skipped"
	NotRun  Result = "not run"
)

// Check is one link of the chain.
type Check struct {
	Name string `json:"name"`
	// About is what it looks at.
	About  string `json:"about"`
	Result Result `json:"result"`
	// Codes of what it found.
	Codes []string `json:"codes,omitempty"`
	// Because are the codes of findings that made the check pointless, for all objects or
	// for some; or why it was not run.
	Because []string `json:"because,omitempty"`
}

// Sort puts the findings in the order in which they should be read: the gravest first,
// then by code and place.
func (r *Report) Sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(weight(a.Severity)-weight(b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Where, b.Where))
	})
}

func weight(s finding.Severity) int {
	return slices.Index([]finding.Severity{finding.Error, finding.Warning, finding.Info}, s)
}

// Err is the error with which a command ends that made the report: nil if there is
// nothing to mend. What is only information is no finding in that sense.
func (r *Report) Err() error {
	switch r.worst() {
	case finding.Error, finding.Warning:
		return exit.Found(errors.New(r.Summary()))
	default:
		return nil
	}
}

func (r *Report) worst() finding.Severity {
	var list []finding.Finding
	for _, f := range r.Findings {
		list = append(list, f.Finding)
	}
	return finding.Worst(list)
}

// Summary counts the findings: "1 error, 2 warnings"; "no findings".
func (r *Report) Summary() string {
	var parts []string
	for _, s := range []finding.Severity{finding.Error, finding.Warning} {
		if n := r.count(s); n == 1 {
			parts = append(parts, "1 "+string(s))
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, s))
		}
	}
	if n := r.count(finding.Info); n > 0 {
		parts = append(parts, fmt.Sprintf("%d for information", n))
	}
	if parts == nil {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}

func (r *Report) count(s finding.Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// LookedAt is what was looked at, for a person: "3 ServiceAccounts, 12 pods".
func (r *Report) LookedAt() string {
	var parts []string
	for _, c := range r.Looked {
		what := c.What
		if c.N == 1 {
			what = strings.TrimSuffix(what, "s")
		}
		parts = append(parts, fmt.Sprintf("%d %s", c.N, what))
	}
	return strings.Join(parts, ", ")
}

// Formats are the values of -o.
var Formats = []string{"table", "wide", "json", "yaml", "sarif", "html"}

// AddFormat adds the flag --output to a command, with what its usage says besides.
func AddFormat(cmd *cobra.Command, format *string, besides string) {
	cmd.Flags().StringVarP(format, "output", "o", "table", strings.Join(Formats, ", ")+besides)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(Formats, cobra.ShellCompDirectiveNoFileComp)) // completion only
}

// CheckFormat refuses what is none of Formats.
func CheckFormat(format string) error {
	if slices.Contains(Formats, format) {
		return nil
	}
	last := len(Formats) - 1
	return hint.New(fmt.Errorf("unknown output format %q", format), "use "+strings.Join(Formats[:last], ", ")+" or "+Formats[last])
}

// Write prints the report in one of Formats. colour is for the tables alone.
func (r *Report) Write(w io.Writer, format string, colour bool) error {
	switch format {
	case "json":
		return WriteJSON(w, r.whole())
	case "yaml":
		return WriteYAML(w, r.whole())
	case "sarif":
		return WriteJSON(w, sarifOf(r))
	case "html":
		return writeHTML(w, r)
	}
	return writeTable(w, r, format == "wide", colour)
}
