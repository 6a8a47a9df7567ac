package idp

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAuth0Action runs the Action as Auth0 does: an event in, calls of the api out.
func TestAuth0Action(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("left out: no node on this machine (Debian's package nodejs)")
	}
	for name, test := range map[string]struct{ event, want string }{
		"of a group":                  {`{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["billing", "sre"]}}`, `[["claim","https://podpass.io/groups",["sre"]]]`},
		"of two groups":               {`{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["sre", "developers"]}}`, `[["claim","https://podpass.io/groups",["sre","developers"]]]`},
		"of another group":            {`{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["billing"]}}`, `[["deny","not in a group that may sign in to clusters"]]`},
		"of none":                     {`{"client": {"metadata": {"kubernetes": "prod-eu"}}}`, `[["deny","not in a group that may sign in to clusters"]]`},
		"who signs in to another app": {`{"client": {"metadata": {}}, "authorization": {"roles": ["sre"]}}`, `[]`},
	} {
		s := company(Auth0).withDefaults()
		program := fmt.Sprintf(`%s
const calls = [];
const api = { access: { deny: (why) => calls.push(["deny", why]) }, idToken: { setCustomClaim: (name, value) => calls.push(["claim", name, value]) } };
exports.onExecutePostLogin(%s, api).then(() => console.log(JSON.stringify(calls)));`, s.auth0Code(), test.event)
		out, err := exec.CommandContext(t.Context(), node, "-e", program).CombinedOutput() //nolint:gosec // the Action that is rendered
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var got, want any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
