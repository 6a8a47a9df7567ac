// Package exit has the statuses with which podpass ends, so that scripts can tell
// something that was found from a tool that could not look.
package exit

import "errors"

// The statuses of all commands.
const (
	// Sound: nothing was found.
	Sound = 0
	// Findings: the command ran, and found something to mend.
	Findings = 1
	// CouldNotRun: a flag, a file, a right or a network stood in the way, so that
	// nothing is known.
	CouldNotRun = 2
)

type found struct{ error }

// Unwrap gives the error itself.
func (f found) Unwrap() error { return f.error }

// Found marks an error that says what a command found, rather than what kept it from
// looking. Of errors joined it marks each, so that they can still be told apart. nil
// stays nil.
func Found(err error) error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return found{err}
	}
	var marked []error
	for _, e := range joined.Unwrap() {
		marked = append(marked, Found(e))
	}
	return errors.Join(marked...)
}

// Status is that of a command's error. Of errors joined, those that kept the command
// from looking decide.
func Status(err error) int {
	if err == nil {
		return Sound
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		worst := Sound
		for _, e := range joined.Unwrap() {
			worst = max(worst, Status(e))
		}
		return worst
	}
	if _, ok := errors.AsType[found](err); ok {
		return Findings
	}
	return CouldNotRun
}
