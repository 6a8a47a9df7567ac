// Package fault makes a stand-in cloud fail on demand.
package fault

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Fault is how requests to one operation fail.
type Fault struct {
	// Operation it concerns, as Operation names it ("aws", "gcp-sts", "gcp-iam",
	// "azure", "oauth"); "": all.
	Operation string `json:"operation"`
	// Latency before anything else, in milliseconds.
	LatencyMillis int `json:"latencyMillis"`
	// Hang keeps the request open until its client leaves, or the fault is cleared.
	Hang bool `json:"hang"`
	// Status answers with it, Body and, if RetryAfter is set, that header; 0: the
	// request goes on to the cloud.
	Status     int    `json:"status"`
	Body       string `json:"body"`
	RetryAfter int    `json:"retryAfter"`
	// Count is how many requests it concerns; 0: all until cleared.
	Count int `json:"count"`
}

// Request is what is remembered of a request.
type Request struct {
	Operation string `json:"operation"`
	Status    int    `json:"status"`
}

// Injector holds the faults, and counts requests. It is safe for concurrent use;
// its zero value injects nothing.
type Injector struct {
	mu       sync.Mutex
	faults   []*Fault
	cleared  chan struct{}
	requests []Request
}

// maxRequests bounds what is remembered.
const maxRequests = 100_000

// Set adds a fault.
func (i *Injector) Set(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = append(i.faults, &f)
}

// Clear ends all faults, and lets hanging requests go on.
func (i *Injector) Clear() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = nil
	if i.cleared != nil {
		close(i.cleared)
		i.cleared = nil
	}
}

// Requests are those that were answered since the start, oldest first.
func (i *Injector) Requests() []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.requests)
}

// Count is the number of requests of one operation.
func (i *Injector) Count(operation string) int {
	n := 0
	for _, r := range i.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// Wrap gives next with the faults before it; operation names a request's, "" one
// that is neither counted nor failed.
func (i *Injector) Wrap(operation func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := operation(r)
		if op == "" {
			next.ServeHTTP(w, r)
			return
		}
		recorder := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			i.mu.Lock()
			defer i.mu.Unlock()
			if len(i.requests) < maxRequests {
				i.requests = append(i.requests, Request{op, recorder.status})
			}
		}()
		f, cleared := i.take(op)
		if f == nil {
			next.ServeHTTP(recorder, r)
			return
		}
		select {
		case <-time.After(time.Duration(f.LatencyMillis) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		if f.Hang {
			select {
			case <-r.Context().Done():
				return
			case <-cleared:
			}
		}
		if f.Status == 0 {
			next.ServeHTTP(recorder, r)
			return
		}
		if f.RetryAfter > 0 {
			recorder.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		if json.Valid([]byte(f.Body)) {
			recorder.Header().Set("Content-Type", "application/json")
		}
		recorder.WriteHeader(f.Status)
		_, _ = recorder.Write([]byte(f.Body)) // an error means that the client has gone
	})
}

func (i *Injector) take(op string) (*Fault, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, f := range i.faults {
		if f.Operation != "" && f.Operation != op {
			continue
		}
		taken := *f
		if f.Count == 1 {
			i.faults = slices.Delete(i.faults, n, n+1)
		} else if f.Count > 1 {
			f.Count--
		}
		if i.cleared == nil {
			i.cleared = make(chan struct{})
		}
		return &taken, i.cleared
	}
	return nil, nil
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
