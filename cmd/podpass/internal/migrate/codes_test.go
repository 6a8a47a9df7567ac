package migrate

import (
	"testing"

	"github.com/podpass-io/podpass/federation/finding/findingtest"
)

// TestCodesAreDocumented: docs/errors.md has a heading for each code, and for no other.
func TestCodesAreDocumented(t *testing.T) { findingtest.Documented(t, "WI400", "WI409") }
