package report

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Colour reports whether w takes colours: a terminal, and NO_COLOR
// (https://no-color.org) not set to anything.
func Colour(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && Terminal(w) }

// Terminal reports whether w is one that can draw over a line.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

const (
	// patience is how long something may take before somebody wonders.
	patience = time.Second
	// beat is how often the line is drawn again.
	beat = 200 * time.Millisecond
)

// Progress says on one line of a terminal what is under way, for what takes longer than
// a second. The zero value says nothing. It is safe for concurrent use.
type Progress struct {
	w    io.Writer
	stop func()

	mu   sync.Mutex
	text string
}

// StartProgress begins; anywhere but on a terminal nothing is shown. End must be called.
func StartProgress(ctx context.Context, w io.Writer) *Progress {
	if !Terminal(w) {
		return &Progress{}
	}
	return startProgress(ctx, w)
}

func startProgress(ctx context.Context, w io.Writer) *Progress {
	ctx, cancel := context.WithCancel(ctx)
	p := &Progress{w: w}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run(ctx)
	}()
	p.stop = func() {
		cancel()
		<-ended
	}
	return p
}

// Say sets what is under way: "reading pods: 1200".
func (p *Progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = fmt.Sprintf(format, args...)
}

// End takes the line away.
func (p *Progress) End() {
	if p.stop != nil {
		p.stop()
	}
}

// clearLine goes to the line's begin and empties it.
const clearLine = "\r\x1b[K"

func (p *Progress) run(ctx context.Context) {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	shown := false
	for {
		select {
		case <-ctx.Done():
			if shown {
				fmt.Fprint(p.w, clearLine)
			}
			return
		case <-wait.C:
			p.mu.Lock()
			text := p.text
			p.mu.Unlock()
			if text != "" {
				shown = true
				fmt.Fprint(p.w, clearLine+text)
			}
			wait.Reset(beat)
		}
	}
}
