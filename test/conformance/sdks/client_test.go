package sdks

import (
	"bufio"
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
	name    string // "go", "js", or a client of Debian's packages
	program []string
	// checks by cloud; nil: a check is called like its cloud.
	checks map[string]string
	// final is in the error after which the SDK does not ask again in its process:
	// watch then starts another, as the kubelet would if the application ended.
	final string
}

// check is what the client calls its test of a cloud; "": it has none.
func (c client) check(cloud string) string {
	if c.checks == nil {
		return cloud
	}
	return c.checks[cloud]
}

// debianPython is the interpreter that has Debian's packages.
const debianPython = "/usr/bin/python3"

// debianClients are those of Debian's packages, years older than go and js. Where
// they are not installed the test leaves them out, and says so.
func debianClients(t *testing.T) []client {
	t.Helper()
	return append(pythonClients(t), javaClients(t)...)
}

func pythonClients(t *testing.T) []client {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), debianPython, "-c", "import botocore, awscli, google.auth, requests, azure.identity").CombinedOutput(); err != nil {
		t.Logf("LEFT OUT: Debian's Python clients and awscli: %v: %s", err, out)
		return nil
	}
	program := []string{debianPython, "../../sdk/python/main.py"}
	return []client{
		{name: "python", program: program, checks: map[string]string{"aws": "aws", "gcp": "gcp", "azure": "azure"}},
		{name: "awscli", program: program, checks: map[string]string{"aws": "awscli"}},
	}
}

// debianJava and debianJavac are the JDK that has Debian's packages, debianJars what
// Google's library needs of them.
const (
	debianJava  = "/usr/bin/java"
	debianJavac = "/usr/bin/javac"
)

var debianJars = []string{
	"/usr/share/java/google-auth-library-oauth2-http.jar",
	"/usr/share/java/google-auth-library-credentials.jar",
	"/usr/share/java/google-http-client.jar",
	"/usr/share/java/google-http-client-jackson2.jar",
	"/usr/share/java/jackson-core.jar",
	"/usr/share/java/guava.jar",
	"/usr/share/java/opencensus-api.jar",
	"/usr/share/java/opencensus-contrib-http-util.jar",
	"/usr/share/java/grpc-context.jar",
}

// javaClients compiles the client, once for the test: to do so at each start costs
// more than all else that the start does.
func javaClients(t *testing.T) []client {
	t.Helper()
	for _, file := range append([]string{debianJava, debianJavac}, debianJars...) {
		if _, err := os.Stat(file); err != nil { // a missing jar is no error to the JDK
			t.Logf("LEFT OUT: Debian's Java client: %v", err)
			return nil
		}
	}
	dir, jars := t.TempDir(), strings.Join(debianJars, ":")
	if out, err := exec.CommandContext(t.Context(), debianJavac, "-d", dir, "-cp", jars, "../../sdk/java/Main.java").CombinedOutput(); err != nil {
		t.Fatalf("compile the Java client: %v\n%s", err, out)
	}
	return []client{{
		name: "java",
		program: []string{
			// A process that lives for seconds: quick to start, and small.
			debianJava, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
			// Java takes the home from the user database, not from HOME; the library would
			// find there what gcloud has left of the user's own credentials.
			"-Duser.home=" + dir,
			"-cp", dir + ":" + jars, "Main",
		},
		checks: map[string]string{"gcp": "gcp"},
		// The library looks for the metadata server once in a process, and remembers that
		// there was none.
		final: "The Application Default Credentials are not available",
	}}
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

// watch runs an SDK again and again in one process, or in more if c.final has it so,
// until enough is true of what it has said so far, or patience ends.
func (c client) watch(t *testing.T, check string, env []string, patience time.Duration, enough func([]sdk.Result) bool) []sdk.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var results []sdk.Result
	for {
		var again bool
		c.repeat(ctx, t, check, env, func(r sdk.Result) (more bool) {
			results = append(results, r)
			if enough(results) {
				return false
			}
			again = c.final != "" && !r.OK && strings.Contains(r.Error, c.final)
			return !again
		})
		if !again {
			return results
		}
		t.Logf("%s %s is started again after call %d: %s", c.name, check, len(results), c.final)
		select {
		case <-time.After(500 * time.Millisecond): // as between the calls of one process
		case <-ctx.Done():
			return results
		}
	}
}

// repeat runs an SDK again and again in one process, and hands over what it says,
// until that is not to go on, or ctx ends.
func (c client) repeat(ctx context.Context, t *testing.T, check string, env []string, each func(sdk.Result) (more bool)) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := append(c.program[1:len(c.program):len(c.program)], check, "--timeout", "20s", "--repeat", "500ms")
	cmd := exec.CommandContext(ctx, c.program[0], args...)
	cmd.Env = env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		one, err := sdk.ParseResults(strings.NewReader(lines.Text()))
		if err != nil || len(one) != 1 {
			t.Fatalf("%s %s said %q: %v", c.name, check, lines.Text(), err)
		}
		if !each(one[0]) {
			return
		}
	}
}
