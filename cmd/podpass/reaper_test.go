package main

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

// killing says when a process is killed.
type killing struct {
	// write is "before" or "after" a write of the store; "": at none.
	write string
	// after its start; 0: not by time.
	after time.Duration
}

// reaper stands before a store and kills who writes there.
type reaper struct {
	url, caFile string

	mu      sync.Mutex
	way     killing
	process *os.Process
	timer   *time.Timer
	killed  bool
}

func startReaper(t *testing.T, store testbed.Store) *reaper {
	t.Helper()
	client, err := store.Client()
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(store.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := &reaper{}
	proxy := &httputil.ReverseProxy{
		Transport: client.Transport, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host // it is signed
		},
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPut && r.kill("before") {
			panic(http.ErrAbortHandler)
		}
		if req.Method == http.MethodPut && r.armed("after") {
			answer := httptest.NewRecorder()
			proxy.ServeHTTP(answer, req)
			if r.kill("after") {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(answer.Code)
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of connections of the killed
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	r.url, r.caFile = server.URL, filepath.Join(t.TempDir(), "store-ca.crt")
	if err := os.WriteFile(r.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// arm says how the next process dies.
func (r *reaper) arm(way killing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.way, r.killed = way, false
}

// disarm reports whether it did.
func (r *reaper) disarm() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.way = killing{}
	return r.killed
}

// watch is told of a process that begins, and, by nil, that it has ended.
func (r *reaper) watch(p *os.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process = p
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if p != nil && r.way.after > 0 {
		r.timer = time.AfterFunc(r.way.after, func() { r.kill("") })
	}
}

func (r *reaper) armed(write string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.way.write == write
}

// kill ends the process by SIGKILL, if it is to die at such a moment.
func (r *reaper) kill(moment string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil || r.way.write != moment {
		return false
	}
	r.killed = r.process.Kill() == nil
	return r.killed
}
