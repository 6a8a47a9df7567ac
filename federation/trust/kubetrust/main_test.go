package kubetrust

import (
	"testing"

	"github.com/podpass-io/podpass/federation/finding"
)

func codesOf(list []finding.Finding) []string {
	codes := []string{}
	for _, f := range list {
		codes = append(codes, f.Code)
	}
	return codes
}

// document parses a configuration that must be a good one.
func document(t testing.TB, text string) *Document {
	t.Helper()
	d, found := Parse([]byte(text), Options{})
	if d == nil {
		t.Fatalf("the configuration is refused: %v", found)
	}
	return d
}
