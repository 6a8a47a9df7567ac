// Package browser drives a headless Chromium from tests, without a library: by its DevTools
// protocol. A machine without one skips the test, and says what to install.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Browser is a headless Chromium that is spoken to by its DevTools protocol over two
// pipes (--remote-debugging-pipe: JSON, each message ended by a zero byte).
type Browser struct {
	t       testing.TB
	to      *os.File
	answers chan Message
	session string
	next    int
	// Events are the messages that answer nothing.
	Events []Message
}

// Message is one of the protocol's: an answer, or an event.
type Message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// patience with a browser on a machine that does other things.
const browserTime = 2 * time.Minute

// endTime is how long it may take to end by itself.
const endTime = 20 * time.Second

// Start starts a browser, with further arguments, which ends with the test.
func Start(t testing.TB, more ...string) *Browser {
	t.Helper()
	binary, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium: Debian's package of that name; make packages installs it")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir()}
	args = append(append(args, more...), "about:blank")
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // Chromium has none for root
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = in.Close(), out.Close()
	b := &Browser{t: t, to: to, answers: make(chan Message, 1000)}
	go func() {
		defer close(b.answers)
		for r := bufio.NewReader(from); ; {
			raw, err := r.ReadBytes(0)
			if err != nil {
				return // it has ended
			}
			var m Message
			if json.Unmarshal(raw[:len(raw)-1], &m) == nil {
				b.answers <- m
			}
		}
	}()
	t.Cleanup(func() {
		// It ends, with its other processes, when nobody speaks to it any more: one that is
		// killed leaves them writing in its directory, which cannot be removed then.
		_ = to.Close()
		timer := time.AfterFunc(endTime, cancel)
		_ = cmd.Wait() // how it ended says nothing here
		timer.Stop()
		cancel()
		_ = from.Close()
	})
	return b
}

// Call makes one call and waits for its answer.
func (b *Browser) Call(method string, params map[string]any, into any) {
	b.t.Helper()
	b.next++
	request := map[string]any{"id": b.next, "method": method, "params": params}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	raw, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(raw, 0)); err != nil {
		b.t.Fatal(err)
	}
	b.wait(method, func(m Message) bool { return m.ID == b.next }, into)
}

// Event waits for an event.
func (b *Browser) Event(method string) {
	b.t.Helper()
	for _, m := range b.Events {
		if m.Method == method {
			return
		}
	}
	b.wait(method, func(m Message) bool { return m.Method == method }, nil)
}

func (b *Browser) wait(what string, is func(Message) bool, into any) {
	b.t.Helper()
	timeout := time.After(browserTime)
	for {
		select {
		case m, ok := <-b.answers:
			switch {
			case !ok:
				b.t.Fatalf("%s: the browser has ended", what)
			case m.ID == 0:
				b.Events = append(b.Events, m)
			}
			if !is(m) {
				continue
			}
			if m.Error != nil {
				b.t.Fatalf("%s: %s", what, m.Error.Message)
			}
			if into != nil {
				if err := json.Unmarshal(m.Result, into); err != nil {
					b.t.Fatal(err)
				}
			}
			return
		case <-timeout:
			b.t.Fatalf("%s: no answer in %s", what, browserTime)
		}
	}
}

// Open shows an address, such as file:///path, in a tab of its own.
func (b *Browser) Open(address string) {
	b.t.Helper()
	var target struct{ TargetID string }
	b.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.Call(domain+".enable", nil, nil)
	}
	b.Events = nil
	b.Call("Page.navigate", map[string]any{"url": address}, nil)
	b.Event("Page.loadEventFired")
}

// Eval gives the text of an expression.
func (b *Browser) Eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result struct{ Value any }
	}
	b.Call("Runtime.evaluate", map[string]any{"expression": expression}, &got)
	return fmt.Sprint(got.Result.Value)
}
