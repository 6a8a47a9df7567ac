// Package scripttest runs rendered scripts with recorders in the place of the clouds'
// command lines, and holds what was run against the real ones as far as these go without
// an account.
package scripttest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder writes down its arguments; what comes after it answers.
const recorder = `#!/bin/sh
{ printf '%s\037' "$@"; printf '\036'; } >>"$RECORD"
`

// Run runs a script in which command is a recorder that answers by lines of shell. It gives
// the arguments of each call.
func Run(t *testing.T, command, answer string, script []byte, environment ...string) (calls [][]string, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	record := filepath.Join(dir, "record")
	for name, content := range map[string]string{command: recorder + answer, "script.sh": string(script), "record": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil { //nolint:gosec // the recorder is to be run
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "script.sh")) //nolint:gosec // the test's own script
	cmd.Env = append(environment, "PATH="+dir+":"+os.Getenv("PATH"), "RECORD="+record, "TMPDIR="+dir)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err = cmd.Run()
	raw, readErr := os.ReadFile(record)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for call := range strings.SplitSeq(string(raw), "\037\036") {
		if call != "" {
			calls = append(calls, strings.Split(call, "\037"))
		}
	}
	return calls, errs.String(), err
}

// Shellcheck fails the test if shellcheck has anything to say of a script, but for braces
// around each variable, and for functions and substitutions whose status it looks at itself.
func Shellcheck(t *testing.T, script []byte) {
	t.Helper()
	path, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("left out: no shellcheck on this machine (Debian's package of that name)")
	}
	cmd := exec.CommandContext(t.Context(), path, "--shell=sh", "--enable=all", "--exclude=SC2250,SC2310,SC2311,SC2312", "-") //nolint:gosec // found in PATH
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// patience is how long one call of a cloud's command line may take: some seconds, and far
// more on a machine that is busy.
const patience = 3 * time.Minute

// Accepts fails the test if the real command line does not take the arguments of a call.
// It is not signed in, and says so (signIn) once it has read all of them; that is as far as
// it goes. home is where it keeps what it has found out about itself, for further calls.
func Accepts(t *testing.T, home, command, signIn string, call []string) {
	t.Helper()
	path, err := exec.LookPath(command)
	if err != nil {
		t.Skipf("left out: no %s on this machine", command)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, call...) //nolint:gosec // found in PATH, and signed in nowhere
	// What it leaves running, to report how it is used, holds its output open.
	cmd.WaitDelay = time.Second
	// Nobody's account is to be found, and nothing is to be asked for over the network: not
	// even whether this machine is one of the cloud's own.
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1",
		"CLOUDSDK_CONFIG=" + home, "CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_CHECK_GCE_METADATA=false", "NO_GCE_CHECK=True", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true",
		"AZURE_CONFIG_DIR=" + home, "AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_NO_COLOR=1",
	}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), signIn) {
		t.Errorf("%s %q: %v\n%s", command, call, err, out)
	}
}
