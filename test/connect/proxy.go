// Package connect is an HTTP proxy that knows CONNECT alone, as many companies have one
// between their clusters and the clouds.
package connect

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Proxy is one that runs. It is safe for concurrent use.
type Proxy struct {
	// Address is host:port.
	Address string

	to        func(address string) string
	mu        sync.Mutex
	connected map[string]int
}

// Start runs a proxy until the test ends; port 0 is any.
func Start(t testing.TB, address string) *Proxy {
	t.Helper()
	return StartTo(t, address, func(asked string) string { return asked })
}

// StartTo is Start for names that lead nowhere from here, as the clouds' own: to says at
// which host:port is who is asked for; "": nobody has that name.
func StartTo(t testing.TB, address string, to func(asked string) string) *Proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), to: to, connected: map[string]int{}}
	server := &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return p
}

// Connected is how many times each host:port has been asked for.
func (p *Proxy) Connected() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.connected)
}

// serve connects the client with whom it asks for.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.connected[r.Host]++
	p.mu.Unlock()
	if r.Method != http.MethodConnect {
		http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
		return
	}
	address := p.to(r.Host)
	if address == "" {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	w.WriteHeader(http.StatusOK)
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(to, buffered); done <- struct{}{} }()
	go func() { _, _ = io.Copy(from, to); done <- struct{}{} }()
	<-done // the other ends as both connections are closed
}
