package main

import (
	"strings"
	"testing"
)

// TestVersion: the chart, the images' tags and the plugin's manifest take one version,
// and each of them allows something that another does not.
func TestVersion(t *testing.T) {
	for name, tt := range map[string]struct{ version, want string }{
		"a release":            {"1.2.3", ""},
		"a candidate":          {"1.2.3-rc.1", ""},
		"none":                 {"", "no version: write a semantic version without a leading v: make release VERSION=1.2.3, or 1.2.3-rc.1"},
		"with v":               {"v1.2.3", `version "v1.2.3" begins with v`},
		"two numbers":          {"1.2", `version "1.2" is not a semantic version`},
		"leading zero":         {"1.02.3", `version "1.02.3" is not a semantic version`},
		"what git says":        {"1.2.3-4-gdeadbee-dirty+x", "build metadata, which an image's tag cannot have"},
		"a word":               {"latest", `version "latest" is not a semantic version`},
		"what make would pass": {"dev", `version "dev" is not a semantic version`},
		"a space":              {"1.2.3 ", "is not a semantic version"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]string{"-version", tt.version})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string // empty: none
	}{
		"a registry with a port": {[]string{"-registry", "registry.example.com:5000/team/podpass"}, ""},
		"a registry as URL":      {[]string{"-registry", "https://registry.example.com"}, "without a scheme"},
		"a slash at the end":     {[]string{"-registry", "registry.example.com/"}, "a slash at the end"},
		"a platform alone":       {[]string{"-images", "arm64"}, `platform "arm64": write it as os/arch`},
		"a variant":              {[]string{"-programs", "linux/arm/v7"}, `platform "linux/arm/v7": write it as os/arch`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(append([]string{"-version", "1.2.3"}, tt.args...))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
