package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// healthPatience is how long Health waits: less than the probe's timeout of 5 s.
const healthPatience = 4 * time.Second

// Health waits until the broker at address is ready, for some seconds; its error is
// what the broker still waits for. As the startup probe it lets the pod go on in the
// moment in which the broker is ready, where one that fails at once would be tried
// again only a second later.
func Health(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	end, _ := ctx.Deadline()
	var last error
	for {
		err := ask(ctx, address)
		if err == nil {
			return nil
		}
		if last == nil || time.Now().Before(end) { // else the end cut it short, and it says nothing
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ask asks once. It speaks just enough HTTP for that: it runs in every new pod, and
// net/http's client would be most of its cost.
func ask(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("the broker does not listen: %w", err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET "+ReadyPath+" HTTP/1.0\r\nHost: localhost\r\n\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(bufio.NewReader(io.LimitReader(conn, 8<<10)))
	if err != nil {
		return err
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	if _, status, _ := strings.Cut(head, " "); strings.HasPrefix(status, "200") {
		return nil
	}
	return errors.New("not ready: " + strings.TrimSpace(body))
}
