package sastore

import (
	"fmt"
	"strings"
	"testing"
)

// TestHeldIsBounded: 20,000 ServiceAccounts, each with as much as one may have in memory,
// take no more than 32 MiB; those beyond are known, and read when a pod needs them.
func TestHeldIsBounded(t *testing.T) {
	x := newIndex()
	policy := map[string]string{"podpass.io/aws-session-policy": strings.Repeat("a", maxRecord-200)}
	put := func(i int, annotations map[string]string) *Record {
		name := fmt.Sprint("n", i)
		x.put(serviceAccount(name, annotations), nil)
		r, _ := x.get("shop", name)
		return r
	}
	large := 0
	const all = 20_000
	for i := range all {
		if put(i, policy).Large {
			large++
		}
	}
	sum := 0
	for _, r := range x.byName["shop"] {
		sum += r.size()
	}
	if len(x.byName["shop"]) != all || sum > 32<<20 || sum != x.held {
		t.Errorf("%d known, %d bytes held, counted as %d", len(x.byName["shop"]), sum, x.held)
	}
	if want := all - 32<<20/(4<<10-200+64+29); large < want-1 || large > want+1 {
		t.Errorf("%d are not held, want %d", large, want)
	}
	if put(0, nil) != bare {
		t.Error("one that asks for nothing is always held")
	}
	if put(all-1, policy).Large {
		t.Error("what became free is not used")
	}
	for i := range all {
		x.remove("shop", fmt.Sprint("n", i))
	}
	x.remove("shop", "never seen")
	if x.held != 0 || len(x.byName) != 0 {
		t.Errorf("%d bytes and %d namespaces held of nothing", x.held, len(x.byName))
	}
}

// TestListedAnew: a second list does not double the memory, and takes what has changed.
func TestListedAnew(t *testing.T) {
	before, after := newIndex(), newIndex()
	same, other := map[string]string{"podpass.io/mode": "direct"}, map[string]string{"podpass.io/mode": "broker"}
	for _, name := range []string{"same", "changed", "relabelled"} {
		before.put(serviceAccount(name, same), nil)
	}
	after.put(serviceAccount("same", same), before)
	after.put(serviceAccount("changed", other), before)
	relabelled := serviceAccount("relabelled", same)
	relabelled.Labels = map[string]string{"azure.workload.identity/client-id": "z"}
	after.put(relabelled, before)
	if was, _ := before.get("shop", "same"); was != after.byName["shop"]["same"] {
		t.Error("a record that has not changed is in memory twice")
	}
	if got := after.byName["shop"]["changed"].Annotations["podpass.io/mode"]; got != "broker" {
		t.Errorf("mode %q is the one before", got)
	}
	if after.byName["shop"]["relabelled"].Labels == nil {
		t.Error("the label is not taken")
	}
}
