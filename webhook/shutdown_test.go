package webhook

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNoReviewIsLostAtShutdown: an API server keeps its connection to a replica whose
// endpoint is gone, and what it sends must not meet the end of it. A Service leads
// each new connection to another replica once this one has begun to stop.
func TestNoReviewIsLostAtShutdown(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/2": true, "HTTP/1.1": false} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				stopUnderLoad(t, http2)
			}
		})
	}
}

func stopUnderLoad(t *testing.T, http2 bool) {
	var moved atomic.Int64
	stays := run(t, 0, func(http.ResponseWriter, *http.Request) { moved.Add(1) })
	leaves := run(t, time.Second, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) })
	transport := leaves.client.Transport.(*http.Transport)
	defer transport.CloseIdleConnections()
	transport.ForceAttemptHTTP2 = http2
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if leaves.stopping.Load() {
			address = strings.TrimPrefix(stays.url, "https://")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}

	var senders sync.WaitGroup
	end := make(chan struct{})
	for range 8 {
		senders.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				resp, err := leaves.client.Post(leaves.url+"/", "application/json", strings.NewReader("{}"))
				if err != nil {
					t.Errorf("a review was lost: %v", err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	leaves.signal()
	leaves.stopped(t)
	close(end)
	senders.Wait()
	if moved.Load() == 0 {
		t.Error("no review went to the replica that stays")
	}
}

// TestAnswersEndConnectionsOnceStopping: and before, connections are kept.
func TestAnswersEndConnectionsOnceStopping(t *testing.T) {
	r := run(t, 2*time.Second, func(http.ResponseWriter, *http.Request) {})
	transport := r.client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2 = false
	defer transport.CloseIdleConnections()
	ends := func() bool {
		resp, err := r.client.Post(r.url+"/", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.Close
	}
	if ends() {
		t.Error("a connection is ended without need")
	}
	r.signal()
	for !r.stopping.Load() {
		time.Sleep(time.Millisecond)
	}
	if !ends() {
		t.Error("an API server keeps its connection to a replica that stops")
	}
}
