package webhook

import (
	"net"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeConn has a name, and knows that it was closed.
type fakeConn struct {
	net.Conn
	name   string
	closed bool
}

func (c *fakeConn) Close() error { c.closed = true; return nil }

// TestTheLeastUsefulConnectionMakesRoom: nobody can lock the API servers out by
// opening connections.
func TestTheLeastUsefulConnectionMakesRoom(t *testing.T) {
	type change struct {
		name  string
		state http.ConnState
	}
	for name, test := range map[string]struct {
		changes []change
		closed  []string
	}{
		"as many as may be": {[]change{{"a", http.StateNew}, {"b", http.StateNew}, {"c", http.StateNew}}, nil},
		"the oldest that never carried a request": {
			[]change{{"a", http.StateNew}, {"a", http.StateActive}, {"a", http.StateIdle}, {"b", http.StateNew}, {"c", http.StateNew}, {"d", http.StateNew}}, []string{"b"},
		},
		"else the one whose first request takes longest": {
			[]change{
				{"a", http.StateNew}, {"b", http.StateNew}, {"c", http.StateNew},
				{"a", http.StateActive}, {"c", http.StateActive}, {"b", http.StateActive}, {"a", http.StateIdle}, {"d", http.StateNew},
			}, []string{"c"},
		},
		"else the one that is idle for longest": {
			[]change{
				{"a", http.StateNew}, {"b", http.StateNew}, {"c", http.StateNew},
				{"a", http.StateActive}, {"b", http.StateActive}, {"c", http.StateActive}, {"b", http.StateIdle}, {"c", http.StateIdle}, {"a", http.StateIdle},
				{"b", http.StateActive}, {"d", http.StateNew},
			}, []string{"c"},
		},
		"else the one whose request takes longest": {
			[]change{
				{"a", http.StateNew}, {"b", http.StateNew}, {"c", http.StateNew},
				{"a", http.StateActive}, {"b", http.StateActive}, {"c", http.StateActive}, {"b", http.StateIdle}, {"c", http.StateIdle}, {"a", http.StateIdle},
				{"b", http.StateActive}, {"a", http.StateActive}, {"c", http.StateActive}, {"d", http.StateNew},
			}, []string{"b"},
		},
		"what has closed counts no more": {
			[]change{{"a", http.StateNew}, {"b", http.StateNew}, {"c", http.StateNew}, {"a", http.StateClosed}, {"d", http.StateNew}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, names := map[string]*fakeConn{}, []string{}
			c := connections{most: 3}
			for _, change := range test.changes {
				if all[change.name] == nil {
					all[change.name], names = &fakeConn{name: change.name}, append(names, change.name)
				}
				c.changed(all[change.name], change.state)
			}
			var closed []string
			for _, name := range names {
				if all[name].closed {
					closed = append(closed, name)
				}
			}
			if diff := cmp.Diff(test.closed, closed); diff != "" {
				t.Errorf("closed (-want +got)\n%s", diff)
			}
		})
	}
}

// TestManyConnectionsLockNobodyOut does it to the real server.
func TestManyConnectionsLockNobodyOut(t *testing.T) {
	r := run(t, 0, func(http.ResponseWriter, *http.Request) {})
	var idle []net.Conn
	for range maxConnections + 50 {
		conn, err := net.Dial("tcp", r.http.Addr)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	for range 3 {
		r.client.CloseIdleConnections()
		if status, err := r.get(); status != http.StatusOK {
			t.Errorf("%d, %v", status, err)
		}
	}
	for _, conn := range idle {
		conn.Close() // the server's end would wait five seconds for what they may send
	}
	r.signal()
	r.stopped(t)
}
