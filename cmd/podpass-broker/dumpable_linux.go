package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// hideMemory keeps other processes of the same user from reading this one's memory,
// environment and files, the tokens among them, by /proc: in a pod that shares its
// process namespace another container may run as the same UID. It needs CAP_SYS_PTRACE
// then, which no container has unless it is given.
// https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_DUMPABLE: %w", err)
	}
	return nil
}
