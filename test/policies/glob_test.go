package policies

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestGlobs: a policy's globs are those of mappings (path.Match), in the regular expressions
// that they become, which CEL and Go read alike (RE2).
func TestGlobs(t *testing.T) {
	globs := []string{
		"shop", "shop-*", "*", "?", "a?c", "*a*b*", "[abc]", "[^abc]", "[a-c]x", "[^a-c]*", `\*`, `[\]]`, `[\-a]`, "[c-a]", "[^c-a]", "a.c", "a+", "(a|b)", "^a$", "[a^]", "[^^]",
		"arn:aws:iam::111122223333:role/shop-*", "arn:*:role/*/*", "{a}", "é?", "[é-ü]", "a[b-]c",
	}
	const chars = `abc-/*?[]^\.:é`
	draw := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(strings.Split(chars, "")), 1, 8).Draw(t, "glob"), "")
	})
	for i := 0; len(globs) < 600; i++ {
		globs = append(globs, draw.Example(i))
	}
	var well []string
	for _, g := range globs {
		if _, err := path.Match(g, ""); err == nil {
			well = append(well, g)
		}
	}
	if len(well) < 200 {
		t.Fatalf("%d globs show little", len(well))
	}
	texts := []string{
		"", "a", "b", "c", "shop", "shop-", "shop-a", "shop-a/b", "abc", "a/c", "aXc", "a.c", "ab", "/", "*", "]", "-", "^", "é", "ü", "éa", "a\nc", "arn:aws:iam::111122223333:role/shop-orders",
		"arn:aws:iam::111122223333:role/shop-orders/x", "arn:aws:role/a/b", "a+", "aa", "(a|b)", "{a}", `\`, "a-c", "a^", ".", ":",
	}
	for i := range 300 {
		texts = append(texts, draw.Example(i))
	}
	matched := 0
	for len(well) > 0 {
		batch := well[:min(100, len(well))]
		well = well[len(batch):]
		for i, re := range regexes(t, batch) {
			for _, text := range texts {
				want, err := path.Match(batch[i], text)
				if err != nil {
					continue // malformed further on than an empty text shows
				}
				if want {
					matched++
				}
				if got := re.MatchString(text); got != want {
					t.Errorf("%q is %s, which matches %q: %t, want %t", batch[i], re, text, got, want)
				}
			}
		}
	}
	if matched < 500 {
		t.Errorf("only %d matches", matched)
	}
}

var matches = regexp.MustCompile(`namespaceObject\.metadata\.name\.matches\(("(?:[^"\\]|\\.)*")\)`)

// regexes are the regular expressions of globs.
func regexes(t *testing.T, globs []string) []*regexp.Regexp {
	t.Helper()
	var rules []map[string]any
	for i, g := range globs {
		rules = append(rules, map[string]any{"name": fmt.Sprint("r", i), "namespaces": []string{g}})
	}
	values, err := json.Marshal(map[string]any{"policies": map[string]any{"identities": map[string]any{"mode": "warn", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := policies(t, string(values))
	var found []*regexp.Regexp
	for _, v := range list[0].Spec.Variables {
		m := matches.FindStringSubmatch(v.Expression)
		if m == nil {
			continue
		}
		var pattern string
		if err := json.Unmarshal([]byte(m[1]), &pattern); err != nil {
			t.Fatal(err)
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			t.Errorf("%q: %v", globs[len(found)], err)
			re = regexp.MustCompile("$^")
		}
		found = append(found, re)
	}
	if len(found) != len(globs) {
		t.Fatalf("%d expressions for %d globs", len(found), len(globs))
	}
	return found
}
