// Package status says how far workloads are on the way off static keys.
package status

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// Version of a status as a file.
const Version = "podpass.io/migrate/v1"

// State of a workload in one cloud.
type State string

// The states, in the order of the way.
const (
	// KeyOnly: it reads a static key, and asks for no identity.
	KeyOnly State = "key only"
	// Both: it asks for an identity, and still reads a key.
	Both State = "both"
	// Federated: it asks for an identity and reads no key; the way back is still kept.
	Federated State = "federated"
	// Done: nothing is left of its key.
	Done State = "done"
)

// States are all, in the order of the way.
func States() []State { return []State{KeyOnly, Both, Federated, Done} }

// Status is how far all are.
type Status struct {
	APIVersion string        `json:"apiVersion"`
	Time       time.Time     `json:"time"`
	Source     string        `json:"source"`
	Counts     map[State]int `json:"counts"`
	Workloads  []Workload    `json:"workloads"`
	// Left are keys that no workload reads, by where they are kept.
	Left []Left `json:"left"`
	// Unread is what could not be looked at, with which a workload may have a key all the same.
	Unread []string `json:"unread,omitempty"`
}

// Workload is one in one cloud.
type Workload struct {
	Workload       string   `json:"workload"`
	ServiceAccount string   `json:"serviceAccount"`
	Cloud          string   `json:"cloud"`
	State          State    `json:"state"`
	Keys           []string `json:"keys,omitempty"`
	// Wins says which of the two SDKs take, where there are both.
	Wins  string `json:"wins,omitempty"`
	Owner string `json:"owner,omitempty"`
}

// Left is a key that nothing reads.
type Left struct {
	Place string `json:"place"`
	Key   string `json:"key"`
	// Since when it is marked as unused; empty: it is not.
	Since string `json:"since,omitempty"`
	// Kept: it is there for the way back.
	Kept bool `json:"kept,omitempty"`
}

// Of is the status that a graph shows, which must have the federated workloads too.
func Of(g *graph.Graph) *Status {
	s := &Status{APIVersion: Version, Time: g.Time, Source: g.Source, Counts: map[State]int{}, Workloads: []Workload{}, Left: []Left{}}
	type at struct {
		workload int
		cloud    string
	}
	reads := map[at][]graph.Use{}
	keys := map[at][]string{}
	for _, c := range g.Credentials {
		for _, p := range c.Places {
			if len(p.Uses) == 0 {
				s.Left = append(s.Left, Left{Place: p.Object.String() + ": " + strings.Join(p.Keys, ", "), Key: strings.TrimSpace(string(c.Kind) + " " + c.ID), Since: p.Unused, Kept: p.Kept})
			}
			for _, u := range p.Uses {
				k := at{u.Workload, c.Cloud}
				reads[k] = append(reads[k], u)
				keys[k] = append(keys[k], p.Object.String())
			}
		}
	}
	for i, w := range g.Workloads {
		clouds := slices.Clone(w.Clouds)
		for k := range reads {
			if k.workload == i {
				clouds = append(clouds, k.cloud)
			}
		}
		slices.Sort(clouds)
		for _, cloud := range slices.Compact(clouds) {
			one := Workload{Workload: w.String(), ServiceAccount: w.ServiceAccount, Cloud: cloud, Owner: w.Owner, Keys: graph.Names(keys[at{i, cloud}])}
			one.State = state(w, cloud, len(reads[at{i, cloud}]) > 0)
			if one.State == Both {
				one.Wins = Wins(cloud, reads[at{i, cloud}], slices.Contains(w.Direct, cloud))
			}
			s.Counts[one.State]++
			s.Workloads = append(s.Workloads, one)
		}
	}
	slices.SortStableFunc(s.Workloads, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(slices.Index(States(), a.State), slices.Index(States(), b.State)), cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Cloud, b.Cloud))
	})
	slices.SortFunc(s.Left, func(a, b Left) int { return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Key, b.Key)) })
	for _, u := range g.Unread {
		s.Unread = append(s.Unread, u.What+": "+u.Why)
	}
	return s
}

func state(w graph.Workload, cloud string, reads bool) State {
	asks := slices.Contains(w.Clouds, cloud)
	switch {
	case reads && asks:
		return Both
	case reads:
		return KeyOnly
	case w.Migration != "":
		return Federated
	}
	return Done
}

// Sound is whether nothing is left to do.
func (s *Status) Sound() bool {
	return s.Counts[KeyOnly]+s.Counts[Both]+s.Counts[Federated]+len(s.Left)+len(s.Unread) == 0
}

// Trend is how many more workloads are in each state than before.
func (s *Status) Trend(before *Status) map[State]int {
	trend := map[State]int{}
	for state := range maps.Keys(s.Counts) {
		trend[state] = s.Counts[state] - before.Counts[state]
	}
	for state := range maps.Keys(before.Counts) {
		trend[state] = s.Counts[state] - before.Counts[state]
	}
	return trend
}
