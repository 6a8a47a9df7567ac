package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/program"
)

// TestProcess drives the real binary through its life: a clear refusal to start, a
// probe, and an end by SIGTERM with exit code 0.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "podpass-broker")
	if err := program.Build(t.Context(), dir, "."); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), binary).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "PODPASS_IDENTITIES") || !strings.Contains(string(out), "PODPASS_SECRET") {
		t.Errorf("without configuration: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "--help").CombinedOutput(); err != nil || !strings.Contains(string(out), "AWS_CONTAINER_CREDENTIALS_FULL_URI") {
		t.Errorf("--help: %v\n%s", err, out)
	}

	const listen = "127.0.0.1:19911"
	env := append(os.Environ(), "PODPASS_LISTEN="+listen, "PODPASS_SECRET=s3cret", "PODPASS_TOKEN_DIR="+t.TempDir(),
		`PODPASS_IDENTITIES={"aws":{"roleARN":"arn:aws:iam::111122223333:role/orders","audience":"sts.amazonaws.com"}}`)
	var log strings.Builder
	broker := exec.CommandContext(t.Context(), binary)
	broker.Env, broker.Stderr = env, &log
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	health := func() error {
		probe := exec.CommandContext(t.Context(), binary, "health")
		probe.Env = env
		return probe.Run()
	}
	// There is no token: a definitive answer, so that the pod starts and can explain.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := health()
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("never ready: %v", err)
		}
	}
	if err := broker.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := broker.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if !strings.Contains(log.String(), "read subject token") || strings.Contains(log.String(), "s3cret") {
		t.Errorf("the log does not say why there are no credentials, or holds the secret:\n%s", log.String())
	}
	if err := health(); err == nil {
		t.Error("healthy after its end")
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "federation.json")
	t.Setenv("PODPASS_FILE", `{"type":"external_account"}`)
	for range 2 { // a restarted init container writes again
		if err := run([]string{"write-file", path}); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
	if err := run([]string{"write-file"}); err == nil {
		t.Error("no PATH was accepted")
	}
	t.Setenv("PODPASS_FILE", "")
	if err := run([]string{"write-file", path}); err == nil {
		t.Error("no content was accepted")
	}
}
