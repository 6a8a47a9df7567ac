package report

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

// browser is a headless Chromium that is spoken to by its DevTools protocol over two
// pipes (--remote-debugging-pipe: JSON, each message ended by a zero byte).
type browser struct {
	t       *testing.T
	to      *os.File
	answers chan message
	session string
	next    int
	// events are the messages that answer nothing.
	events []message
}

type message struct {
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

func startBrowser(t *testing.T) *browser {
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
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(), "about:blank"}
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
	b := &browser{t: t, to: to, answers: make(chan message, 1000)}
	go func() {
		defer close(b.answers)
		for r := bufio.NewReader(from); ; {
			raw, err := r.ReadBytes(0)
			if err != nil {
				return // it has ended
			}
			var m message
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

// call makes one call and waits for its answer.
func (b *browser) call(method string, params map[string]any, into any) {
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
	b.wait(method, func(m message) bool { return m.ID == b.next }, into)
}

// event waits for an event.
func (b *browser) event(method string) {
	b.t.Helper()
	for _, m := range b.events {
		if m.Method == method {
			return
		}
	}
	b.wait(method, func(m message) bool { return m.Method == method }, nil)
}

func (b *browser) wait(what string, is func(message) bool, into any) {
	b.t.Helper()
	timeout := time.After(browserTime)
	for {
		select {
		case m, ok := <-b.answers:
			switch {
			case !ok:
				b.t.Fatalf("%s: the browser has ended", what)
			case m.ID == 0:
				b.events = append(b.events, m)
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

// open shows a file.
func (b *browser) open(file string) {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	b.event("Page.loadEventFired")
}

// eval gives the text of an expression.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result struct{ Value any }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression}, &got)
	return fmt.Sprint(got.Result.Value)
}
