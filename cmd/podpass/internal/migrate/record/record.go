// Package record keeps in the cluster how far the migration of a workload is, and what
// takes it back. As that holds the workload's former keys, a record is a Secret beside it.
package record

import (
	"slices"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
)

const (
	// secretType of records; the value of their label is the step.
	secretType = graph.KeyMigration
	// prefix of the names of records and of what else a step makes for itself.
	prefix = "podpass-migrate-"
	// Data keys of the Secret.
	stateKey  = "record.json"
	undoKey   = "undo.json"
	formerKey = "former.json"
)

// Name is that of a step's record, and of its canary.
func Name(step string) string { return prefix + step }

// Phase is what was done last.
type Phase string

// The phases, in their order.
const (
	// Begun: nothing has been changed.
	Begun Phase = "begun"
	// Annotated: the ServiceAccount asks for the identity.
	Annotated Phase = "annotated"
	// Proved: a canary got credentials.
	Proved Phase = "proved"
	// Changing: the workload is being changed, or has been; its annotation Key tells.
	Changing Phase = "changing"
	// Ready: it runs without the key.
	Ready Phase = "ready"
	// Done: what nothing reads any more is marked.
	Done Phase = "done"
)

var phases = []Phase{Begun, Annotated, Proved, Changing, Ready, Done}

// Reached reports whether p is the other phase, or comes after it.
func (p Phase) Reached(other Phase) bool {
	return slices.Index(phases, p) >= slices.Index(phases, other)
}

// Record of a step. What is in its unexported fields holds keys, and does not print.
type Record struct {
	Step plan.Step `json:"step"`
	// Accounts are the names that the pod templates had for their ServiceAccount, by the
	// template's JSON pointer; empty: none.
	Accounts map[string]string   `json:"accounts"`
	Phase    Phase               `json:"phase"`
	Times    map[Phase]time.Time `json:"times"`

	undo, former func() []byte // functions, since fmt prints fields without asking them
	stored       bool
	version      string // of the Secret, when it was read or written
}

// New is the record of a step that begins.
func New(step plan.Step, now time.Time) *Record {
	return &Record{Step: step, Accounts: map[string]string{}, Phase: Begun, Times: map[Phase]time.Time{Begun: now}}
}

// To is that the record has come to a phase.
func (r *Record) To(p Phase, now time.Time) { r.Phase, r.Times[p] = p, now }

// Keep keeps what takes the change back: a JSON patch of the workload, or, of one that is
// made again, all of it as it was.
func (r *Record) Keep(undo, former []byte) {
	r.undo, r.former = func() []byte { return undo }, func() []byte { return former }
}

// Undo is the JSON patch.
func (r *Record) Undo() []byte { return reveal(r.undo) }

// Former is the workload as it was; nil: it is changed by a patch.
func (r *Record) Former() []byte { return reveal(r.former) }

func reveal(f func() []byte) []byte {
	if f == nil {
		return nil
	}
	return f()
}
