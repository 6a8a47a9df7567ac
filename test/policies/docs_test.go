package policies

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding/findingtest"
)

// TestCodesAreDocumented: docs/errors.md has a heading for each code of the policies'
// messages, and no other of their range.
func TestCodesAreDocumented(t *testing.T) {
	manifests, _, _ := policies(t, every("enforce"))
	codes := regexp.MustCompile(`WI3\d\d`).FindAllString(manifests, -1)
	slices.Sort(codes)
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^## (WI30\d)$`).FindAllStringSubmatch(findingtest.Page(t, "errors.md"), -1) {
		headings = append(headings, m[1])
	}
	if d := cmp.Diff(slices.Compact(codes), headings); d != "" {
		t.Error(d)
	}
}

// TestPage: the messages of docs/policies.md are those that TestClusterPolicies gets, its
// values render, and each policy has a heading that errors.md leads to.
func TestPage(t *testing.T) {
	page := findingtest.Page(t, "policies.md")
	said := map[string]bool{}
	for _, list := range attempts {
		for _, a := range list {
			said[a.want] = true
		}
	}
	messages := 0
	for _, m := range regexp.MustCompile(`(?m)^    (WI3.*)$`).FindAllStringSubmatch(page, -1) {
		messages++
		if !said[m[1]] {
			t.Errorf("no test gets the message\n%s", m[1])
		}
	}
	if messages < 4 {
		t.Errorf("%d messages", messages)
	}
	values := 0
	for block := range strings.SplitSeq(page, "\n\n") {
		if !strings.HasPrefix(block, "    policies:") {
			continue
		}
		values++
		if _, refused := render(t, replaced(strings.TrimPrefix(block, "    "), "\n    ", "\n")); refused != "" {
			t.Errorf("%s\n%s", block, refused)
		}
	}
	if values < 6 {
		t.Errorf("%d blocks of values", values)
	}
	for _, policy := range []string{"identities", "injected", "registrations", "staticKeys", "audiences"} {
		if !strings.Contains(page, "\n## "+policy+"\n") {
			t.Errorf("no heading for %s", policy)
		}
	}
}
