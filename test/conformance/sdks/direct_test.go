package sdks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/sdk"
)

// TestDirect: the SDKs accept the stand-ins as they accept the clouds.
func TestDirect(t *testing.T) {
	programs, m := clients(t), newMatrix(t)
	// ID tokens are missing: Google's Go SDK asks the real IAM for them whatever
	// the file says, and its JavaScript SDK has none from an external account.
	for _, cloud := range clouds {
		for _, c := range programs {
			t.Run("success/"+cloud+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, scenario{})
				r := c.run(t, cloud, w.directEnv(t))
				m.set(cloud+": success", c.name, succeeded(t, w, cloud, r))
			})
			for name, refusal := range refusals {
				t.Run(name+"/"+cloud+"/"+c.name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, refusal.scenario)
					r := c.run(t, cloud, w.directEnv(t))
					m.set(cloud+": "+name, c.name, showed(t, w, r, refusal.causes[cloud]))
				})
			}
			t.Run("throttled/"+cloud+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, scenario{faults: throttled})
				r := c.run(t, cloud, w.directEnv(t))
				if cloud == "gcp" && c.name == "go" {
					// Google's Go SDK leaves it to its caller to ask STS again.
					showed(t, w, r, "Quota exceeded")
					r = c.run(t, cloud, w.directEnv(t))
				}
				m.set(cloud+": throttled, then not", c.name, succeeded(t, w, cloud, r))
			})
		}
	}
}

// succeeded checks a result that must be good, and gives the matrix's cell.
func succeeded(t *testing.T, w *world, check string, r sdk.Result) string {
	t.Helper()
	w.secretFree(t, "the result", fmt.Sprint(r))
	switch {
	case !r.OK:
		t.Errorf("no credentials: %s", r.Error)
		return "FAILED"
	case !strings.Contains(r.Identity, identityShown[check]):
		t.Errorf("identity %q, want %q", r.Identity, identityShown[check])
		return "WRONG IDENTITY"
	case time.Until(r.Expires) < 5*time.Minute:
		t.Errorf("the credential ends at %v: SDKs would ask for another at once", r.Expires)
		return "TOO SHORT"
	}
	return fmt.Sprintf("ok, %d ms", r.ElapsedMillis)
}

// showed checks a result that must fail with all texts in the SDK's own error; a
// text may be alternatives, separated by |.
func showed(t *testing.T, w *world, r sdk.Result, texts ...string) string {
	t.Helper()
	w.secretFree(t, "the result", fmt.Sprint(r))
	if r.OK {
		t.Errorf("got credentials of %s", r.Identity)
		return "NOT REFUSED"
	}
	for _, text := range texts {
		if !containsAny(r.Error, text) {
			t.Errorf("the SDK's error does not show %q:\n%s", text, r.Error)
			return "CAUSE NOT SHOWN"
		}
	}
	return fmt.Sprintf("shows the cause, %d ms", r.ElapsedMillis)
}

func containsAny(s, alternatives string) bool {
	return slices.ContainsFunc(strings.Split(alternatives, "|"), func(a string) bool { return strings.Contains(s, a) })
}
