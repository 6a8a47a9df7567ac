package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Restore gives the way back for a workload as it is now, from the one that was right when
// the key was taken out ([Undo.Reveal]): what others have added since stays, what they
// have put back already is left alone, and where they have put something else, or what has
// a place has moved, it is an error. Nothing left to do: the patch is empty. It is for a
// workload of which [Patch] finds nothing to take out; of another it refuses more.
func Restore(object, record []byte) (Undo, error) {
	e, err := decode(object)
	if err != nil {
		return Undo{}, err
	}
	ops, err := readOps(record)
	if err != nil {
		return Undo{}, err
	}
	for len(ops) > 0 {
		done, err := e.back(ops)
		if err != nil {
			return Undo{}, err
		}
		ops = ops[done:]
	}
	return e.restored()
}

// restored is what Restore has recorded, for this generation of the workload alone.
func (e *editor) restored() (Undo, error) {
	patch := e.patch
	if metadata := e.own.object("metadata"); len(patch) > 0 && metadata.m["generation"] != nil {
		patch = slices.Insert(patch, 0, Op{"test", metadata.path("generation"), encode(metadata.m["generation"])})
	}
	return newUndo(patch)
}

// readOps reads a record. Its errors would quote values.
func readOps(record []byte) ([]Op, error) {
	var ops []Op
	if err := json.Unmarshal(record, &ops); err != nil {
		return nil, unreadable()
	}
	return ops, nil
}

func unreadable() error {
	return hint.New(errors.New("the record of what was taken out cannot be read"), "use the podpass that has written it, or put the key back by hand")
}

// back does the first of the operations and those that belong to it, and says how many.
func (e *editor) back(ops []Op) (int, error) {
	op := ops[0]
	value, err := op.decoded()
	if err != nil {
		return 0, err
	}
	if op.Op == "add" {
		return e.fill(ops)
	}
	if op.Op != "test" {
		return 0, unreadable()
	}
	if len(ops) == 1 || ops[1].Path != op.Path {
		return 1, e.still(op.Path, value)
	}
	former, err := ops[1].decoded()
	if err != nil {
		return 0, err
	}
	switch ops[1].Op {
	case "add":
		return 2, e.put(op.Path, former)
	case "replace":
		return 2, e.replace(op.Path, value, former)
	case "remove":
		return 2, e.take(op.Path, value)
	}
	return 0, unreadable()
}

// decoded is the value, as the workload's own are.
func (o Op) decoded() (any, error) {
	if o.Value == nil {
		return nil, nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(o.Value))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, unreadable()
	}
	return v, nil
}

// changed says that what is to be put back has no place.
func changed(path string) error {
	return hint.New(fmt.Errorf("%s has changed since the key was taken out", path), "look at it, and put the key back by hand")
}

// still requires that a name is what it was.
func (e *editor) still(path string, name any) error {
	p, ok := e.at(path)
	if !ok || p.index >= 0 || p.of.m[p.member] != name {
		return changed(path)
	}
	return nil
}
