package idp

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestAuth0Action runs the Action as Auth0 does: an event in, calls of the api out.
func TestAuth0Action(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("left out: no node on this machine (Debian's package nodejs)")
	}
	tests := []struct{ name, event, want string }{
		{"of a group", `{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["billing", "sre"]}}`, `[["claim","https://podpass.io/groups",["sre"]]]`},
		{"of two groups", `{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["sre", "developers"]}}`, `[["claim","https://podpass.io/groups",["sre","developers"]]]`},
		{"of another group", `{"client": {"metadata": {"kubernetes": "prod-eu"}}, "authorization": {"roles": ["billing"]}}`, `[["deny","not in a group that may sign in to clusters"]]`},
		{"of none", `{"client": {"metadata": {"kubernetes": "prod-eu"}}}`, `[["deny","not in a group that may sign in to clusters"]]`},
		{"who signs in to another application", `{"client": {"metadata": {}}, "authorization": {"roles": ["sre"]}}`, `[]`},
	}
	var events []string
	for _, test := range tests {
		events = append(events, test.event)
	}
	// One node for all: a busy machine takes seconds to start it.
	program := fmt.Sprintf(`%s
(async () => {
  for (const event of [%s]) {
    const calls = [];
    const api = { access: { deny: (why) => calls.push(["deny", why]) }, idToken: { setCustomClaim: (name, value) => calls.push(["claim", name, value]) } };
    await exports.onExecutePostLogin(event, api);
    console.log(JSON.stringify(calls));
  }
})();`, company(Auth0).withDefaults().auth0Code(), strings.Join(events, ", "))
	out, err := exec.CommandContext(t.Context(), node, "-e", program).CombinedOutput() //nolint:gosec // the Action that is rendered
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(calls) != len(tests) {
		t.Fatalf("%d answers, want %d:\n%s", len(calls), len(tests), out)
	}
	for n, test := range tests {
		if calls[n] != test.want {
			t.Errorf("somebody %s: %s, want %s", test.name, calls[n], test.want)
		}
	}
}
