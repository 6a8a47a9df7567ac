package fleet

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
)

// table prints what is there, and of what should not be only what is.
func table(w io.Writer, s *doctor.Survey) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	row := func(n int, what, more string) { fmt.Fprintf(t, "%d\t%s\t%s\n", n, what, more) }
	fmt.Fprintln(t, "COUNT\tWHAT\tMORE")
	row(s.Accounts, "ServiceAccounts with an identity", counts(s.Clouds))
	row(s.Pods, "pods of theirs", counts(s.Modes))
	for _, l := range []struct {
		n          int
		what, more string
	}{
		{s.OptedOut, "pods opted out by their label", ""},
		{s.Denied, "ServiceAccounts whose pods are denied", "podpass check"},
		{s.Uninjected, "pods without the identity that they should have", "podpass doctor -A"},
		{s.OtherSidecars, "sidecars that are not the installation's", "podpass doctor -A"},
		{s.SidecarsDown, "sidecars that do not run", "podpass doctor -A"},
		{s.StaticKeys, "pods with static keys in the way", "podpass doctor -A"},
	} {
		if l.n > 0 {
			row(l.n, l.what, l.more)
		}
	}
	t.Flush()
	for _, f := range s.Cluster {
		fmt.Fprintln(&out, f.Finding)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// counts are the numbers of a map that are not 0: "aws 8, gcp 3".
func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
		}
	}
	return strings.Join(parts, ", ")
}
