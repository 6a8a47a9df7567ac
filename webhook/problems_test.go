package webhook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// problem is one whose text is of n bytes.
func problem(code string, n int) serviceaccount.Problem {
	p := serviceaccount.Problem{Code: code}
	p.Message = strings.Repeat("x", n-len(p.String()))
	return p
}

// TestWarningsFitIntoAResponse: API servers cut what is said of a request at 4 KiB. Each
// has 1,000 bytes, all together 3,800, and the codes of what is left out are named.
func TestWarningsFitIntoAResponse(t *testing.T) {
	whole := problem("WI051", 991).String() // 1,000 with "podpass: "
	for name, test := range map[string]struct {
		problems []serviceaccount.Problem
		want     []string
	}{
		"none":          {nil, nil},
		"the longest":   {[]serviceaccount.Problem{problem("WI051", 991)}, []string{"podpass: " + whole}},
		"one byte more": {[]serviceaccount.Problem{problem("WI051", 992)}, []string{"podpass: " + whole + "..."}},
		"as many as fit": {
			[]serviceaccount.Problem{problem("WI051", 941), problem("WI051", 941), problem("WI051", 941), problem("WI051", 941)},
			[]string{"podpass: " + problem("WI051", 941).String(), "podpass: " + problem("WI051", 941).String(), "podpass: " + problem("WI051", 941).String(), "podpass: " + problem("WI051", 941).String()},
		},
		"one byte too many": {
			[]serviceaccount.Problem{problem("WI051", 941), problem("WI051", 941), problem("WI051", 941), problem("WI052", 942), problem("WI053", 20)},
			[]string{"podpass: " + problem("WI051", 941).String(), "podpass: " + problem("WI051", 941).String(), "podpass: " + problem("WI051", 941).String(), "podpass: and 2 more: WI052,WI053"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, warnings("", test.problems)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDenialIsOneLine of 4,000 bytes, half of them for each mistake, and the codes of the
// others.
func TestDenialIsOneLine(t *testing.T) {
	text := func(n int) string { return problem("WI001", n).String() }
	for name, test := range map[string]struct {
		problems []serviceaccount.Problem
		want     string
	}{
		"the longest":       {[]serviceaccount.Problem{problem("WI001", 2000)}, "podpass: " + text(2000)},
		"one byte more":     {[]serviceaccount.Problem{problem("WI001", 2001)}, "podpass: " + text(2000) + "..."},
		"two":               {[]serviceaccount.Problem{problem("WI001", 2000), problem("WI001", 2000)}, "podpass: " + text(2000) + "; " + text(2000)},
		"one byte too many": {[]serviceaccount.Problem{problem("WI001", 2000), problem("WI001", 2001), problem("WI002", 20), problem("WI003", 20)}, "podpass: " + text(2000) + "; and 3 more: WI001,WI002,WI003"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, denial(test.problems)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCodesAreBounded: they go into the API server's audit log.
func TestCodesAreBounded(t *testing.T) {
	var many []serviceaccount.Problem
	for i := range 100 {
		many = append(many, serviceaccount.Problem{Code: fmt.Sprintf("WI%03d", i)})
	}
	if got := codes(many); len(got) != 250+len("...") || !strings.HasPrefix(got, "WI000,WI001,") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
