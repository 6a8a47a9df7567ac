package broker_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestStopEndsWaiting: a request that waits for a change is answered when the broker
// stops. Else the stop would take its five seconds, and be an error: start looks.
func TestStopEndsWaiting(t *testing.T) {
	var conn net.Conn
	t.Cleanup(func() { _ = conn.Close() }) // after the broker has stopped: cleanups run last first
	w := start(t, nil)
	var err error
	conn, err = net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	const request = "GET /computeMetadata/v1/project/project-id?wait_for_change=true HTTP/1.1\r\nHost: localhost\r\nMetadata-Flavor: Google\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answered at once: %q, %v", line, err)
	}
}
