package broker

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// connections is a listener that bounds how many connections are open. When there are
// as many, the one that has been quiet for the longest makes room for the next: an
// application that leaves connections open must not lock the pod's other containers
// out. Only if a request is being answered on each of them does the next one wait.
//
// Closing it closes the quiet ones too, and each other one once it is quiet: a client
// that has connected and says nothing does not hold up the end.
type connections struct {
	net.Listener
	most int

	mu     sync.Mutex
	room   sync.Cond // there is, or the listener is closed
	open   int
	closed bool
	quiet  list.List // of *connection, the one that is quiet for the longest first
}

func limitConnections(l net.Listener, most int) *connections {
	c := &connections{Listener: l, most: most}
	c.room.L = &c.mu
	return c
}

// connection is one of them.
type connection struct {
	net.Conn
	of *connections
	// quiet is its place in the list; nil while a request is answered.
	quiet *list.Element
	gone  bool
}

// Accept implements net.Listener.
func (l *connections) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open >= l.most && !l.closed {
		if longest := l.quiet.Front(); longest != nil {
			_ = longest.Value.(*connection).end() // its client sees it
		} else {
			l.room.Wait()
		}
	}
	if l.closed {
		_ = conn.Close() // it has not been served
		return nil, net.ErrClosed
	}
	l.open++
	c := &connection{Conn: conn, of: l}
	c.rest()
	return c, nil
}

// Close implements net.Listener.
func (l *connections) Close() error {
	l.mu.Lock()
	l.closed = true
	for l.quiet.Len() > 0 {
		_ = l.quiet.Front().Value.(*connection).end()
	}
	l.room.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// changed is the server's ConnState.
func (l *connections) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateActive || state == http.StateIdle {
		l.mu.Lock()
		defer l.mu.Unlock()
		conn.(*connection).rest()
	}
}

// rest puts c, whose request has begun to come or has been answered, last among the
// quiet ones. of.mu is held, as for the others.
func (c *connection) rest() {
	switch {
	case c.gone:
	case c.of.closed:
		_ = c.end()
	default:
		c.work()
		c.quiet = c.of.quiet.PushBack(c)
		c.of.room.Signal()
	}
}

// work takes c out of the quiet ones.
func (c *connection) work() {
	if c.quiet != nil {
		c.of.quiet.Remove(c.quiet)
		c.quiet = nil
	}
}

// end closes c, once.
func (c *connection) end() error {
	if c.gone {
		return nil
	}
	c.gone = true
	c.work()
	c.of.open--
	c.of.room.Signal()
	return c.Conn.Close()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	return c.end()
}

type connectionKey struct{}

// withConnection is the server's ConnContext.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// busyWhile keeps a request's connection from being closed while h answers it.
func (l *connections) busyWhile(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			l.mu.Lock()
			c.work()
			l.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}
