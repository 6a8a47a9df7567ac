package broker

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// limited is a server of at most two connections; requests for /held wait for the test.
type limited struct {
	t       *testing.T
	address string
	server  *http.Server
	held    chan struct{}
	waiting chan struct{}
	idle    chan struct{} // one for each answer after which its connection is quiet
	done    chan error
}

func serveLimited(t *testing.T) *limited {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &limited{t: t, address: listener.Addr().String(), held: make(chan struct{}), waiting: make(chan struct{}, 9), idle: make(chan struct{}, 9), done: make(chan error, 1)}
	c := limitConnections(listener, 2)
	l.server = &http.Server{ReadHeaderTimeout: time.Minute, ConnState: l.changed(c), ConnContext: withConnection, Handler: c.busyWhile(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			l.waiting <- struct{}{}
			<-l.held
		}
	}))}
	go func() { l.done <- l.server.Serve(c) }()
	t.Cleanup(func() { _ = l.server.Close() })
	return l
}

func (l *limited) changed(c *connections) func(net.Conn, http.ConnState) {
	return func(conn net.Conn, state http.ConnState) {
		c.changed(conn, state)
		if state == http.StateIdle {
			l.idle <- struct{}{}
		}
	}
}

func (l *limited) dial() net.Conn {
	l.t.Helper()
	c, err := new(net.Dialer).DialContext(l.t.Context(), "tcp", l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *limited) send(c net.Conn, path string) {
	l.t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		l.t.Error(err)
	}
}

func answered(c net.Conn, within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.Contains(line, "200 OK")
}

// TestQuietConnectionsMakeRoom: ones that say nothing, or half a request, as idle ones.
func TestQuietConnectionsMakeRoom(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "half a request": "GET / HT"} {
		t.Run(name, func(t *testing.T) {
			l := serveLimited(t)
			for range 5 {
				if _, err := io.WriteString(l.dial(), sent); err != nil {
					t.Fatal(err)
				}
			}
			c := l.dial()
			l.send(c, "/")
			if !answered(c, 5*time.Second) {
				t.Error("not served")
			}
		})
	}
}

// TestLongestQuietMakesRoom: not the one that was opened first, if it was used since.
func TestLongestQuietMakesRoom(t *testing.T) {
	l := serveLimited(t)
	use := func(c net.Conn) {
		t.Helper()
		l.send(c, "/")
		if !answered(c, 5*time.Second) {
			t.Fatal("not served")
		}
		<-l.idle
	}
	first, second := l.dial(), l.dial()
	use(first)
	use(second)
	use(first)
	use(l.dial())
	use(first)
	l.send(second, "/")
	if answered(second, 5*time.Second) {
		t.Error("what was quiet for the longest is still served")
	}
}

// TestBusyConnectionsAreKept: while each is being answered the next one waits, and is
// served as soon as one of them has its answer; none of them is cut off.
func TestBusyConnectionsAreKept(t *testing.T) {
	l := serveLimited(t)
	busy := []net.Conn{l.dial(), l.dial()}
	for _, c := range busy {
		l.send(c, "/held")
		<-l.waiting
	}
	next := l.dial()
	l.send(next, "/")
	if answered(next, 100*time.Millisecond) {
		t.Fatal("served beyond the bound")
	}
	close(l.held)
	if !answered(next, 5*time.Second) {
		t.Error("not served when there was room")
	}
	served := 0
	for _, c := range busy {
		if answered(c, 5*time.Second) {
			served++
		}
	}
	if served != 2 {
		t.Errorf("%d of the two that were busy have their answers", served)
	}
}

// TestStopWithQuietConnections: clients that have connected and say nothing do not hold
// up the end; a request under way has its answer.
func TestStopWithQuietConnections(t *testing.T) {
	l := serveLimited(t)
	quiet, busy := l.dial(), l.dial()
	l.send(busy, "/held")
	<-l.waiting
	time.AfterFunc(100*time.Millisecond, func() { close(l.held) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if !answered(busy, time.Second) {
		t.Error("the request under way has no answer")
	}
	_ = quiet.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := quiet.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // as net.Conn promises
		t.Errorf("the quiet one: %v", err)
	}
}

// TestListenerEndsWhileItWaits: with all connections busy, and one that waits.
func TestListenerEndsWhileItWaits(t *testing.T) {
	l := serveLimited(t)
	for range 2 {
		l.send(l.dial(), "/held")
		<-l.waiting
	}
	next := l.dial()
	l.send(next, "/")
	time.Sleep(50 * time.Millisecond) // until it is accepted
	time.AfterFunc(50*time.Millisecond, func() { close(l.held) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if answered(next, time.Second) {
		t.Error("served after the end")
	}
}

// TestConnectionsThatEndMakeRoom: one that is closed with its answer lets the next one
// in, as one that is quiet again does.
func TestConnectionsThatEndMakeRoom(t *testing.T) {
	l := serveLimited(t)
	for range 2 {
		if _, err := io.WriteString(l.dial(), "GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-l.waiting
	}
	next := l.dial()
	l.send(next, "/")
	if answered(next, 100*time.Millisecond) {
		t.Fatal("served beyond the bound")
	}
	close(l.held)
	if !answered(next, 5*time.Second) {
		t.Error("not served when there was room")
	}
}

// TestListenerClosesOnce: its error is that of the listener within.
func TestListenerClosesOnce(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := limitConnections(listener, 1)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
}
