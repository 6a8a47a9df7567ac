package broker

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lone is a listener, in memory for virtual time, with one connection.
type lone struct {
	net.Listener
	conn   chan net.Conn
	closed chan struct{}
}

func (l lone) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conn:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l lone) Close() error { close(l.closed); return nil }

// TestStopGivesUp: a request that does not end keeps the broker for five seconds, and the
// log says that it was given up.
func TestStopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := &Broker{log: slog.New(slog.NewTextHandler(&log, nil))}
		hangs, served := make(chan struct{}), make(chan error, 1)
		server := b.httpServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }))
		client, conn := net.Pipe()
		listener := lone{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
		listener.conn <- conn
		go func() { served <- server.Serve(listener) }()
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until it is being answered
		start := time.Now()
		b.stop(server)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("stopped in %s", took)
		}
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `level=WARN msg="Stopped with requests under way" error="context deadline exceeded"`) {
			t.Errorf("log: %s", text)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection is left open: %v", err)
		}
		close(hangs)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}
