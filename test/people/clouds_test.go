package people

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var flag = regexp.MustCompile(`--[a-z-]+`)

// TestCloudsCommands: the flags of the page's commands for the clouds' own clusters are
// those of the clouds' command lines, where the machine has one that knows the command.
func TestCloudsCommands(t *testing.T) {
	raw, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, block := range fence.FindAllStringSubmatch(string(raw), -1) {
		if block[1] != "sh elsewhere" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", "")) {
			words := strings.Fields(line)
			program, err := exec.LookPath(words[0])
			if words[0] != "az" || err != nil {
				t.Logf("left out, as this machine has no %s that could tell: %s", words[0], strings.TrimSpace(line))
				continue
			}
			first := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") })
			help, err := exec.CommandContext(t.Context(), program, append(slices.Clone(words[1:first]), "--help")...).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", line, err, help)
			}
			known := flag.FindAllString(string(help), -1)
			for _, f := range flag.FindAllString(line, -1) {
				if !slices.Contains(known, f) {
					t.Errorf("%s has no %s", strings.Join(words[:first], " "), f)
				}
			}
			checked++
		}
	}
	if _, err := exec.LookPath("az"); err == nil && checked != 2 {
		t.Errorf("%d commands of az were looked at, want 2", checked)
	}
}
