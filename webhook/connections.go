package webhook

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
)

// maxConnections to admission at one time, of some 50 KiB each. An API server keeps one
// or a few.
const maxConnections = 256

// connections bounds how many are open. Anybody who reaches the port can open some,
// so that to let no more in would lock the API servers out. Instead one makes room
// for the new one: the oldest that never carried a request; else the one whose first
// request has been under way for longest, since a review takes milliseconds, and who
// stalls one is at the head of the queue; else the one that has been idle for longest;
// else the one whose request has been under way for longest. An API server does not
// repeat a review whose connection was closed: what it keeps goes last.
type connections struct {
	most int

	mu   sync.Mutex
	open []*connection // by the time of their last change, the oldest first
}

type connection struct {
	net.Conn
	active bool
	used   bool // it carries a request, or has
	proven bool // it has carried one to its end
}

// changed is for http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	this := &connection{Conn: conn}
	if i := slices.IndexFunc(c.open, func(o *connection) bool { return o.Conn == conn }); i >= 0 {
		this = c.open[i]
		c.open = slices.Delete(c.open, i, i+1)
	}
	if state == http.StateClosed {
		return
	}
	if len(c.open) >= c.most {
		hangUp(c.open[c.leastUseful()].Conn)
	}
	this.proven = this.proven || this.active && state == http.StateIdle
	this.active = state == http.StateActive
	this.used = this.used || this.active
	c.open = append(c.open, this)
}

// leastUseful is the index of the connection that makes room.
func (c *connections) leastUseful() int {
	for _, least := range []func(*connection) bool{
		func(o *connection) bool { return !o.used },
		func(o *connection) bool { return !o.proven },
		func(o *connection) bool { return !o.active },
	} {
		if i := slices.IndexFunc(c.open, least); i >= 0 {
			return i
		}
	}
	return 0
}

// hangUp ends a connection without TLS's farewell, which would wait for a client
// that does not read. The server notices, and reports it as closed.
func hangUp(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close() // it may be closed already
}
