package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/program"
)

// TestMain is, with PODPASS_TEST_READ_PROC, the other container's process: it says
// which files of a process it can read.
func TestMain(m *testing.M) {
	pid := os.Getenv("PODPASS_TEST_READ_PROC")
	if pid == "" {
		os.Exit(m.Run())
	}
	for _, name := range []string{"environ", "mem", "fd", "cwd", "root", "maps"} {
		if err := readProc(filepath.Join("/proc", pid, name)); err == nil {
			fmt.Print(name, " ")
		}
	}
}

func readProc(path string) error {
	switch filepath.Base(path) {
	case "cwd", "root":
		_, err := os.ReadDir(path + "/")
		return err
	case "fd":
		_, err := os.ReadDir(path)
		return err
	case "mem":
		f, err := os.Open(path)
		if err == nil {
			f.Close()
		}
		return err
	}
	_, err := os.ReadFile(path)
	return err
}

// TestSameUserReadsNothing: in a pod that shares its process namespace, a container of
// the broker's own UID reads any other process of it, and nothing of the broker.
func TestSameUserReadsNothing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("to start processes of another UID takes root")
	}
	dir, err := os.MkdirTemp("/tmp", "podpass") // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the other user executes it
		t.Fatal(err)
	}
	binary, reader := filepath.Join(dir, "podpass-broker"), filepath.Join(dir, "reader")
	if err := program.Build(t.Context(), dir, "."); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(reader, self, 0o755); err != nil { //nolint:gosec // the other user executes it
		t.Fatal(err)
	}
	token := filepath.Join(dir, "aws")
	if err := os.WriteFile(token, []byte("not a token"), 0o644); err != nil { //nolint:gosec // the broker's user reads it
		t.Fatal(err)
	}
	as := func(name string, env []string, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), name, args...)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		c.Dir, c.Env = dir, env
		return c
	}
	readable := func(p *os.Process) string {
		out, err := as(reader, []string{fmt.Sprint("PODPASS_TEST_READ_PROC=", p.Pid)}).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}

	other := as("/bin/sleep", nil, "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	time.Sleep(100 * time.Millisecond) // until it has become sleep
	if got := readable(other.Process); !strings.Contains(got, "environ ") || !strings.Contains(got, "root ") || !strings.Contains(got, "fd ") {
		t.Fatalf("of any process of the same UID %q can be read: there is nothing to show", got)
	}

	env := []string{
		"PODPASS_LISTEN=127.0.0.1:19912", "PODPASS_SECRET=s3cret", "PODPASS_TOKEN_DIR=" + dir,
		`PODPASS_IDENTITIES={"aws":{"roleARN":"arn:aws:iam::111122223333:role/orders","audience":"sts.amazonaws.com"}}`,
	}
	broker := as(binary, env)
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broker.Process.Kill(); _ = broker.Wait() }()
	var out []byte
	for range 3 { // the probe and explain still work
		if out, err = as(binary, env, "health").CombinedOutput(); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("health: %v\n%s", err, out)
	}
	if out, err := as(binary, env, "explain").CombinedOutput(); !strings.Contains(string(out), "not a JWT") {
		t.Errorf("the token file is not read: %v\n%s", err, out)
	}
	if got := readable(broker.Process); got != "" {
		t.Errorf("%sof the broker can be read", got)
	}
}
