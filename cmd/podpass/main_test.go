package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"podpass": func() {
		status := run()
		tellPeak()
		os.Exit(status)
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: setup, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"status": exitStatus, "examples": examples, "internet": internet,
	}})
}

// exitStatus runs a program that must end with the exit status: status 2 podpass check.
func exitStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND [ARGS...]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exited, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = strconv.Itoa(exited.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("the exit status is %s, want %s", got, args[0])
	}
}
