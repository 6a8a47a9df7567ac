package serviceaccount

import (
	"fmt"

	"github.com/podpass-io/podpass/federation"
)

// Problem is something that a person should mend or know: which key, what is
// wrong with its value, and the fix.
type Problem struct {
	// Code is stable ("WI004") and has a heading in docs/errors.md.
	Code string
	// Where is the annotation, label or field concerned, with its owner:
	// "ServiceAccount default/web annotation eks.amazonaws.com/role-arn".
	Where string
	// Value as found; empty when there is none.
	Value string
	// Message says what is wrong, lower case, without a full stop.
	Message string
	// Fix is the next step.
	Fix string
}

// String gives "WI004: <where> "<value>": <message>; fix: <fix>".
func (p Problem) String() string {
	s := p.Code + ": " + p.Where
	if p.Value != "" {
		s += fmt.Sprintf(" %q", p.Value)
	}
	s += ": " + p.Message
	if p.Fix != "" {
		s += "; fix: " + p.Fix
	}
	return s
}

// MaxProblems bounds the errors, and the warnings, of one pod: admission answers are
// bounded too, and the eleventh of a kind helps nobody.
const MaxProblems = 20

// AppendProblem adds p to list, unless that is full. Its texts, which quote what
// anybody may have written, are clipped here and nowhere else.
func AppendProblem(list []Problem, p Problem) []Problem {
	if len(list) >= MaxProblems {
		return list
	}
	p.Where = federation.Clip(p.Where, maxText)
	p.Value = federation.Clip(p.Value, maxQuoted)
	p.Message = federation.Clip(p.Message, maxText)
	p.Fix = federation.Clip(p.Fix, maxText)
	return append(list, p)
}

const (
	// maxQuoted bounds what a problem quotes of a value.
	maxQuoted = 120
	// maxText bounds its other texts: two names and a key that Kubernetes allows fit.
	maxText = 1000
	// maxName is the longest name that Kubernetes allows, that of a DNS subdomain.
	maxName = 253
)

// ClipName cuts a name that Kubernetes would refuse, for the middle of a text: what
// stands after it, the fault, must not be lost.
func ClipName(name string) string { return federation.Clip(name, maxName) }

// quote is a value in the middle of a text.
func quote(value string) string { return federation.Clip(value, maxQuoted) }
