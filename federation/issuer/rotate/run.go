package rotate

import (
	"context"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

// World is where a rotation happens.
type World interface {
	Look(ctx context.Context) (Look, error)
}

// Runner takes a rotation as far as it goes now.
type Runner struct {
	// Path of the state file.
	Path  string
	World World
	Place publish.Place
	// Approved lets it change things. Otherwise it writes nothing, the state neither, and
	// stops at what it would do.
	Approved bool
}

// maxSteps bounds one run: each phase once, and one way back.
const maxSteps = 12

// Run takes steps until there is one to wait for, and gives the last decision, with the
// findings of all. The state is saved at each step. What is published is read again after it
// was changed, so that a step is only taken when the one before is seen from outside. It is
// safe to end it anywhere, and to begin it again.
func (r Runner) Run(ctx context.Context, s State) (Decision, error) {
	if err := r.save(s); err != nil {
		return Decision{State: s}, err
	}
	acted := map[Action]bool{}
	var found []finding.Finding
	for range maxSteps {
		look, err := r.World.Look(ctx)
		if err != nil {
			return Decision{State: s, Findings: found}, err
		}
		d := Decide(s, look)
		if d.State.Phase != s.Phase {
			s, found = d.State, merge(found, d.Findings)
			if err := r.save(s); err != nil {
				return d, err
			}
			if s.Phase != Done {
				continue
			}
		}
		if d.Action == Nothing || acted[d.Action] || !r.Approved {
			d.Findings = merge(found, d.Findings)
			return d, nil
		}
		if err := r.act(ctx, s, d.Action); err != nil {
			return d, err
		}
		acted[d.Action] = true
	}
	return Decision{State: s, Findings: found}, fmt.Errorf("no end after %d steps: run it again", maxSteps)
}

func (r Runner) save(s State) error {
	if !r.Approved {
		return nil
	}
	if err := s.Save(r.Path); err != nil {
		return fmt.Errorf("save the state: %w", err)
	}
	return nil
}

func merge(list, more []finding.Finding) []finding.Finding {
	for _, f := range more {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

func (r Runner) act(ctx context.Context, s State, a Action) error {
	plan, err := Plan(ctx, r.Place, s, a)
	if err != nil {
		return err
	}
	return plan.Apply(ctx)
}

// Plan says what an action changes in the place.
func Plan(ctx context.Context, place publish.Place, s State, a Action) (*publish.Plan, error) {
	w := publish.Wanted{Issuer: s.Issuer, JWKSPath: s.JWKSPath}
	switch a {
	case Add:
		keys, err := issuer.Merge(s.Old.Keys, s.New.Keys)
		if err != nil {
			return nil, err
		}
		w.Keys = keys
	case Remove:
		w.Keys, w.Drop = s.New.Keys, s.Old.IDs()
	default:
		return nil, fmt.Errorf("no change belongs to the action %q", a)
	}
	return publish.Prepare(ctx, place, w)
}
