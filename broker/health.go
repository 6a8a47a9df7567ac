package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
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

// WriteFile writes content to path, whole or not at all, readable by everybody in
// the pod and changeable by nobody. Direct mode's init container lays down
// Google's credential configuration with it: a file that SDKs want, whose content
// is in the pod's immutable environment.
func WriteFile(path, content string) error {
	if content == "" {
		return errors.New("write-file: the variable PODPASS_FILE, with the content, is empty")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".podpass-*")
	if err != nil {
		return fmt.Errorf("write-file: %w", err)
	}
	_, err = tmp.WriteString(content)
	err = errors.Join(err, tmp.Chmod(0o444), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write-file: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}
