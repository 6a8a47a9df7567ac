package kubedoctor

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/finding/findingtest"
)

// TestCodesAreDocumented: docs/errors.md has a heading for each code, and for no other.
func TestCodesAreDocumented(t *testing.T) { findingtest.Documented(t, "WI360", "WI379") }

// TestPointless: what a finding makes pointless is a link.
func TestPointless(t *testing.T) {
	links := map[string]bool{}
	for _, l := range chain {
		links[l.name] = true
	}
	for code, names := range pointless {
		for _, name := range names {
			if !links[name] {
				t.Errorf("%s makes %q pointless, which is no link", code, name)
			}
		}
	}
}

// TestChainIsDocumented: docs/kubernetes.md has each link, in the chain's order, in its words.
func TestChainIsDocumented(t *testing.T) {
	doc := findingtest.Page(t, "kubernetes.md")
	at := 0
	for _, l := range chain {
		row := strings.Index(doc, "\n| "+l.name+" | "+l.about+" | ")
		if row <= at {
			t.Errorf("docs/kubernetes.md does not have the link %s after the one before: %q", l.name, l.about)
		}
		at = row
	}
}
