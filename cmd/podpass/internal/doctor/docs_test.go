package doctor

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCodesAreDocumented: each code has its heading in docs/errors.md, once.
func TestCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"(WI\d{3})"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) == 0 {
		t.Fatal("no codes found in codes.go")
	}
	for _, c := range codes {
		if n := strings.Count(string(doc), "\n## "+c[1]+"\n"); n != 1 {
			t.Errorf("docs/errors.md has %d headings for %s, want 1", n, c[1])
		}
	}
}

// TestChainIsDocumented: docs/doctor.md has each check, in the chain's order, in its words.
func TestChainIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, c := range chain {
		row := strings.Index(string(doc), "\n| "+c.name+" | "+c.about+" | ")
		if row <= at {
			t.Errorf("docs/doctor.md does not have the check %s after the one before: %q", c.name, c.about)
		}
		at = row
	}
}

// TestEachCodeIsFound: of each code there is a set-up that has it.
func TestEachCodeIsFound(t *testing.T) {
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{
		// Of a cloud's answer: TestFailed.
		codeSubject: true, codeThrottled: true, codeExchange: true,
		// Of a document: TestTrusted.
		codeNoDocument: true,
	}
	for _, c := range cases() {
		wanted[c.want] = true
	}
	for _, c := range regexp.MustCompile(`"(WI\d{3})"`).FindAllStringSubmatch(string(source), -1) {
		if !wanted[c[1]] {
			t.Errorf("no set-up is broken by %s", c[1])
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
