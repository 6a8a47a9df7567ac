package sdks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/sdk"
)

// client is one of the programs of test/sdk.
type client struct {
	name    string // "go" or "js"
	program []string
}

// clients builds the programs, once for the package. Where npm cannot be had the
// JavaScript half of each test is left out, and the test says so.
func clients(t *testing.T) []client {
	t.Helper()
	built, err := buildClients()
	all := []client{{name: "go", program: []string{built.Go}}}
	switch {
	case errors.Is(err, sdk.ErrNoNPM):
		t.Logf("LEFT OUT: the JavaScript SDKs: %v", err)
		return all
	case err != nil:
		t.Fatal(err)
	}
	return append(all, client{name: "js", program: []string{built.Node, built.Main()}})
}

var buildClients = sync.OnceValues(func() (sdk.Clients, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	return sdk.Build(ctx, os.Stderr)
})

// run asks an SDK for credentials in an environment of nothing but env, as
// "NAME=value".
func (c client) run(t *testing.T, check string, env []string) sdk.Result {
	t.Helper()
	const patience = 40 * time.Second // the slowest SDK's retries, on a busy machine
	ctx, cancel := context.WithTimeout(t.Context(), patience+20*time.Second)
	defer cancel()
	args := append(c.program[1:len(c.program):len(c.program)], check, "--timeout", fmt.Sprint(patience))
	cmd := exec.CommandContext(ctx, c.program[0], args...)
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	results, parseErr := sdk.ParseResults(strings.NewReader(string(out)))
	if parseErr != nil || len(results) != 1 {
		t.Fatalf("%s %s: %v, %v; standard error: %s", c.name, check, err, parseErr, stderr.String())
	}
	if (err == nil) != results[0].OK {
		t.Errorf("%s %s: exit %v does not agree with %+v", c.name, check, err, results[0])
	}
	return results[0]
}
