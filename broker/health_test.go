package broker_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/test/program"
)

// TestHealth: a probe asks again until it is told 200, also where nobody answers at
// first; else it says what it was told.
func TestHealth(t *testing.T) {
	t.Parallel() // it waits
	ready := "HTTP/1.0 200 OK\r\n\r\n"
	for name, test := range map[string]struct {
		answers []string // to one connection after the other, the last to all further ones; "": none
		says    string   // "": ready
	}{
		"ready":           {[]string{ready}, ""},
		"ready later":     {[]string{"HTTP/1.0 503 x\r\n\r\nwaiting", "", ready}, ""},
		"not ready":       {[]string{"HTTP/1.0 503 x\r\n\r\nwaiting for aws\n"}, "not ready: waiting for aws"},
		"at length":       {[]string{"HTTP/1.0 503 x\r\n\r\n" + strings.Repeat("x", 9000)}, "not ready: " + strings.Repeat("x", 8192-18)},
		"200 in its text": {[]string{"HTTP/1.0 503 200\r\n\r\n200"}, "not ready: 200"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for n := 0; ; n++ {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					defer conn.Close()
					answer := test.answers[min(n, len(test.answers)-1)]
					r, err := http.ReadRequest(bufio.NewReader(conn))
					if err != nil {
						_ = conn.Close()
						continue // its time was over before it could ask
					}
					if r.URL.Path != broker.ReadyPath || r.Host != "localhost" {
						t.Errorf("asked %v", r)
					}
					if answer != "" {
						_, _ = io.WriteString(conn, answer) // who asks has gone, perhaps
						_ = conn.Close()
					}
				}
			}()
			defer listener.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 1800*time.Millisecond)
			defer cancel()
			err = broker.Health(ctx, listener.Addr().String())
			if test.says == "" && err != nil || test.says != "" && (err == nil || err.Error() != test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := broker.Health(ctx, program.Address(t)); err == nil || !strings.HasPrefix(err.Error(), "the broker does not listen: ") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestHealthInNoTime: a probe whose time is over before it has asked is not healthy.
func TestHealthInNoTime(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if err := broker.Health(ctx, "127.0.0.1:1"); err == nil {
		t.Error("healthy, and nobody was asked")
	}
}

// TestHealthHangsUp: a probe leaves no connection behind, of which the broker bounds the
// number.
func TestHealthHangsUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // a failure shows as one of reading
		r := bufio.NewReader(conn)
		for line := ""; err == nil && line != "\r\n"; {
			line, err = r.ReadString('\n')
		}
		_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\n\r\n")
		_ = conn.(*net.TCPConn).CloseWrite()
		_, err = io.Copy(io.Discard, r) // nil: the probe has closed its side
		ended <- err
	}()
	if err := broker.Health(t.Context(), l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the probe keeps its connection: %v", err)
	}
}
