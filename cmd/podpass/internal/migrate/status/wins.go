package status

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/environ"
)

// What wins where a container has both.
const (
	keyWins = "the key"
	// A shared credentials file stands behind web identity in some SDKs, before it in
	// others; before the broker's endpoint in all.
	fileOrIdentity = "the key in JavaScript, the identity in Go"
	application    = "whatever the application reads"
)

// Wins says which of a static key and an injected identity SDKs take. Those of Go,
// JavaScript and Python were measured: test/conformance/sdks.
func Wins(cloud string, uses []graph.Use, direct bool) string {
	var all []string
	for _, u := range uses {
		if w := wins(cloud, u, direct); !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func wins(cloud string, u graph.Use, direct bool) string {
	switch {
	case u.By == graph.ByEnv && slices.Contains(environ.Names(cloud, environ.Key), u.As):
		return keyWins
	case u.By == graph.ByFile && cloud == "aws" && direct:
		return fileOrIdentity
	case u.By == graph.ByFile:
		return keyWins
	}
	return application
}
