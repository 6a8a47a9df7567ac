package doctor

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/finding/findingtest"
)

// TestCodesAreDocumented: each code has its heading in docs/errors.md, once.
func TestCodesAreDocumented(t *testing.T) { findingtest.Documented(t, "", "") }

// TestChainIsDocumented: docs/doctor.md has each check, in the chain's order, in its words.
func TestChainIsDocumented(t *testing.T) {
	doc := findingtest.Page(t, "doctor.md")
	at := 0
	for _, c := range chain {
		row := strings.Index(doc, "\n| "+c.name+" | "+c.about+" | ")
		if row <= at {
			t.Errorf("docs/doctor.md does not have the check %s after the one before: %q", c.name, c.about)
		}
		at = row
	}
}

// TestEachCodeIsFound: of each code there is a set-up that has it.
func TestEachCodeIsFound(t *testing.T) {
	wanted := map[string]bool{
		// Of a cloud's answer: TestFailed.
		codeSubject: true, codeThrottled: true, codeExchange: true,
		// Of a document: TestTrusted.
		codeNoDocument: true, codeUnnamed: true,
	}
	for _, c := range cases() {
		wanted[c.want] = true
	}
	for _, c := range findingtest.Codes(t) {
		if !wanted[c] {
			t.Errorf("no set-up is broken by %s", c)
		}
	}
}

// TestPointless: what a finding makes pointless comes later, and is a check.
func TestPointless(t *testing.T) {
	position := map[string]int{}
	for i, c := range chain {
		position[c.name] = i
	}
	for code, names := range pointless {
		for _, name := range names {
			if _, ok := position[name]; !ok {
				t.Errorf("%s makes %q pointless, which is no check", code, name)
			}
		}
	}
	if got := len(later(checkTrust)); got != 0 {
		t.Errorf("%d checks after the last", got)
	}
}
