// Package version says which build a program is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Set by the linker, as the Makefile does. The commit is not Go's own stamp: that one
// also tells of the work tree and of its time, and the same source has to make the same
// binary in a checkout, in an archive and in an image's build.
var number, commit string

// Dev is the version of a build that nobody gave one.
const Dev = "dev"

// Info is what a build says of itself.
type Info struct {
	Version  string `json:"version"` // without a leading v, as the images' tags and the chart's version
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"` // as images name it: linux/arm64
}

// Get describes the program that runs.
func Get() Info {
	i := Info{Version: Number(), Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok && i.Commit == "" {
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				i.Commit = s.Value
			}
		}
	}
	return i
}

// Number is the version alone, for logs and for the names that a client goes by.
func Number() string {
	if number != "" {
		return number
	}
	build, ok := debug.ReadBuildInfo()
	return ofModule(build, ok)
}

// ofModule is for `go install module@version`, which runs no Makefile. A module that has
// a checksum was downloaded; any other is a work tree, of which Go would make a version
// that is none of ours.
func ofModule(build *debug.BuildInfo, ok bool) string {
	if !ok || build.Main.Sum == "" {
		return Dev
	}
	return strings.TrimPrefix(build.Main.Version, "v")
}

// String is one line for a person.
func (i Info) String() string {
	about := []string{i.Go, i.Platform}
	if i.Commit != "" {
		about = append([]string{"commit " + i.Commit}, about...)
	}
	return fmt.Sprintf("%s (%s)", i.Version, strings.Join(about, ", "))
}
