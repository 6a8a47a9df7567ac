package edit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Op is an operation of a JSON patch.
type Op struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// Change of a workload.
type Change struct {
	// Patch takes out; empty: nothing of it is there. No value of the workload is in it.
	Patch []Op `json:"patch"`
	Undo  Undo `json:"-"`
	// Left is what the removal names and the patch leaves, with the reason.
	Left []string `json:"left,omitempty"`
	// Dangling is what stays and refers, or may refer, to something that goes.
	Dangling []string `json:"dangling,omitempty"`

	lines []string
}

// Show gives the change for people, a line for each thing: "- " what goes, "+ " what
// comes instead. It holds no value.
func (c Change) Show() string {
	if len(c.lines) == 0 {
		return ""
	}
	return strings.Join(c.lines, "\n") + "\n"
}

// Undo is the JSON patch that puts back what was taken out. It holds the keys, and
// belongs in a Secret of the cluster and nowhere else: it does not print. It is for the
// workload as the patch leaves it, and fails where what it would change has changed since;
// [Restore] makes one that fits.
type Undo struct {
	// A function, since fmt prints the fields of what it finds in unexported fields
	// without asking for their String.
	reveal func() []byte
}

const redacted = "[redacted]"

// String says that there is something, and not what.
func (Undo) String() string { return redacted }

// GoString is String.
func (Undo) GoString() string { return redacted }

// MarshalText is String, for encoding/json and logs.
func (Undo) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal gives the patch's JSON.
func (u Undo) Reveal() []byte {
	if u.reveal == nil {
		return []byte("[]")
	}
	return u.reveal()
}

func newUndo(ops []Op) (Undo, error) {
	b := []byte("[]")
	if len(ops) > 0 {
		var err error
		if b, err = json.Marshal(ops); err != nil {
			return Undo{}, fmt.Errorf("writing the way back: %w", err)
		}
	}
	return Undo{func() []byte { return slices.Clone(b) }}, nil
}

// change is what the editor has recorded.
func (e *editor) change() (Change, error) {
	slices.Sort(e.loose)
	undo := slices.Clone(e.undoTests)
	for _, group := range slices.Backward(e.undo) {
		undo = append(undo, group...)
	}
	u, err := newUndo(undo)
	if err != nil {
		return Change{}, err
	}
	return Change{
		Patch:    e.patch,
		Undo:     u,
		Left:     e.left,
		Dangling: slices.Compact(e.loose),
		lines:    e.lines,
	}, nil
}
