package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const source = `package sound

import (
	"errors"
	"time"
)

const limit, pause = 3, 5 * time.Second

var calls int

// Check refuses what is too long.
func Check(s string, strict bool) error {
	calls++
	if strict && len(s) > limit {
		return errors.New("too long")
	}
	return nil
}
`

// module writes a module with one package and the test given, and loads it.
func module(t *testing.T, test string) pkg {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module sound\n\ngo 1.26\n", "sound.go": source, "sound_test.go": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	packages, err := load(t.Context(), []string{"."})
	if err != nil || len(packages) != 1 {
		t.Fatalf("load: %v, %d packages", err, len(packages))
	}
	return packages[0]
}

func TestMutants(t *testing.T) {
	all, err := module(t, "package sound\n").mutants()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.ID())
	}
	want := []string{
		"sound.go limit: constant by one: 3", // and none of the duration
		"sound.go Check: statement removed: calls++",
		"sound.go Check: condition negated: strict && len(s) > limit",
		"sound.go Check: left operand dropped: strict && len(s) > limit",
		"sound.go Check: right operand dropped: strict && len(s) > limit",
		`sound.go Check: error made nil: errors.New("too long")`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("mutants (-want +got):\n" + diff)
	}
	first, second := sample(slices.Clone(all), 7), sample(slices.Clone(all), 7)
	for i := range first {
		if first[i].ID() != second[i].ID() {
			t.Fatal("one seed gives two samples")
		}
	}
}

func TestTry(t *testing.T) {
	for name, tt := range map[string]struct {
		test   string
		killed int
	}{
		// calls++ lives in both, as nobody reads it.
		"tests of the promises": {`package sound
import "testing"
func Test(t *testing.T) {
	if Check("abcd", true) == nil || Check("abc", true) != nil || Check("abcd", false) != nil { t.Fatal() }
}
`, 5},
		"a test of nothing": {"package sound\nimport \"testing\"\nfunc Test(t *testing.T) { _ = Check(\"\", true) }\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := module(t, tt.test)
			all, err := p.mutants()
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.try(t.Context(), all, 0, false, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(score{compiled: 6, killed: tt.killed}, s, cmp.AllowUnexported(score{})); diff != "" {
				t.Error("score (-want +got):\n" + diff)
			}
			if after, err := os.ReadFile(filepath.Join(p.Path, "sound.go")); err != nil || string(after) != source {
				t.Errorf("the source was changed: %v", err)
			}
		})
	}
}
