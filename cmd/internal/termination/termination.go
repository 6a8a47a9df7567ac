// Package termination tells kubelet why a container ended: `kubectl describe pod` shows it,
// where of the log there is only an end, in JSON.
package termination

import (
	"fmt"
	"os"
	"strings"
)

// File is where kubelet takes the message from, unless a container says otherwise. Kubelet
// makes it, also for containers whose root is read-only.
const File = "/dev/termination-log"

// most is what kubelet reads of it.
const most = 4096

// Write writes why the process ends, a problem a line, to the file, if kubelet has made
// it. It does nothing elsewhere, and its own failure is of no use to anybody: the error
// that it was to tell is in the log too.
func Write(file string, reason error) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0) //nolint:gosec // kubelet's
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprint(f, Message(reason))
}

// Message is the text of an error as far as kubelet takes it: whole lines, and how many
// more there are.
func Message(reason error) string {
	text := strings.TrimSpace(reason.Error()) + "\n"
	if len(text) <= most {
		return text
	}
	const room = 40 // for what is said of the rest
	cut := strings.LastIndexByte(text[:most-room], '\n') + 1
	if cut == 0 {
		return strings.ToValidUTF8(text[:most-room], "") + "...\n" // one line
	}
	return text[:cut] + fmt.Sprintf("and %d more lines: see the log\n", strings.Count(text[cut:], "\n"))
}
