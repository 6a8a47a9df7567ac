package main

import (
	"bytes"
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

// reaper stands before a store and kills who writes there: at each write of something new
// first before it is done, and, when it comes again, after it is.
type reaper struct {
	url, caFile string

	mu      sync.Mutex
	armed   bool
	after   time.Duration // of a process's start, when it is killed; 0: at writes alone
	process *os.Process
	timer   *time.Timer
	killed  bool
	writes  map[string]int // by path and content
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
	r := &reaper{writes: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Transport: client.Transport, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host // it is signed
		},
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPut {
			proxy.ServeHTTP(w, req)
			return
		}
		body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		times := r.write(req.URL.Path + string(body))
		if times == 1 && r.kill() {
			panic(http.ErrAbortHandler)
		}
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, req)
		if times == 2 && r.kill() {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(answer.Code)
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

// arm makes the next process mortal: at writes, and after a time if that is not 0.
func (r *reaper) arm(after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed, r.after, r.killed = true, after, false
}

// disarm reports whether it was killed.
func (r *reaper) disarm() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed, r.after = false, 0
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
	if p != nil && r.after > 0 {
		r.timer = time.AfterFunc(r.after, func() { r.kill() })
	}
}

// write counts the writes of something by the armed, from 1; 0: nobody is to be killed.
func (r *reaper) write(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.armed {
		return 0
	}
	r.writes[what]++
	return r.writes[what]
}

// kill ends the process by SIGKILL.
func (r *reaper) kill() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil {
		return false
	}
	r.killed = r.process.Kill() == nil
	return r.killed
}
