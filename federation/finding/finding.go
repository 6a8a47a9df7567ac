// Package finding is what a tool found: one thing that somebody should mend or know, as
// a value that a table, JSON, SARIF and a page can each show.
package finding

import (
	"fmt"
	"strings"
)

// Severity says how much a finding matters.
type Severity string

// An Error keeps a pod from its identity. A Warning works, and should not stay so. What
// is only Info is nobody's fault.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one thing found. Its texts are in lower case, without a full stop, and hold
// no token or key.
type Finding struct {
	// Code is stable ("WI203") and has a heading in docs/errors.md.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Where is the object and the place in it: "role orders Statement[1] StringEquals".
	Where string `json:"where"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Expected and Seen are the two sides that should be equal; both may be empty.
	Expected string `json:"expected,omitempty"`
	Seen     string `json:"seen,omitempty"`
	// Fix is the next step, and Command shows what was found, or mends it.
	Fix     string `json:"fix,omitempty"`
	Command string `json:"command,omitempty"`
}

// String gives the finding on one line: "WI203: where: message (expected "a", seen "b"); fix: fix".
func (f Finding) String() string {
	s := f.Code + ": " + f.Where + ": " + f.Message
	var sides []string
	if f.Expected != "" {
		sides = append(sides, fmt.Sprintf("expected %q", f.Expected))
	}
	if f.Seen != "" {
		sides = append(sides, fmt.Sprintf("seen %q", f.Seen))
	}
	if sides != nil {
		s += " (" + strings.Join(sides, ", ") + ")"
	}
	if f.Fix != "" {
		s += "; fix: " + f.Fix
	}
	return s
}

// Worst gives the gravest severity of a list; "": the list is empty.
func Worst(list []Finding) Severity {
	var worst Severity
	for _, f := range list {
		if rank[f.Severity] > rank[worst] {
			worst = f.Severity
		}
	}
	return worst
}

var rank = map[Severity]int{Info: 1, Warning: 2, Error: 3}
