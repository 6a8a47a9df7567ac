package gcpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

const projectID = v1 + "project/project-id"

// held is a recorder whose deadlines can be moved, as those of a connection.
type held struct {
	*httptest.ResponseRecorder
	readUntil, writeUntil time.Time
}

func (h *held) SetReadDeadline(t time.Time) error  { h.readUntil = t; return nil }
func (h *held) SetWriteDeadline(t time.Time) error { h.writeUntil = t; return nil }

// await asks, and tells how long the answer took.
func await(ctx context.Context, h http.Handler, target string) (*held, time.Duration) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	r.Host = "127.0.0.1:9911"
	r.Header.Set("Metadata-Flavor", "Google")
	w := &held{ResponseRecorder: httptest.NewRecorder(), readUntil: time.Now()}
	began := time.Now()
	h.ServeHTTP(w, r)
	return w, time.Since(began)
}

// waiting gives a handler whose tokens are kept, as the broker's cache keeps them.
func waiting() *gcpapi.Handler {
	c := federation.Credential{Token: "ya29.x", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}
	h := handler(gcp.Identity{Provider: provider, ServiceAccount: account, Project: "example-project"}, new(cloud))
	h.AccessToken = func(context.Context, []string) (federation.Credential, error) { return c, nil }
	h.IDToken = func(context.Context, string) (federation.Credential, error) { return c, nil }
	return h
}

// TestWaitForChange: the answer to a client that knows the value is held for as long as
// it asks for, and no longer than a minute; to another one it comes at once.
func TestWaitForChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting()
		plain, _ := await(t.Context(), h, projectID)
		tag := plain.Header().Get("ETag")
		token := accounts + "default/token"
		atOnce, _ := await(t.Context(), h, token+"?wait_for_change=true&last_etag=")
		idToken := accounts + "default/identity?audience=x"
		for name, test := range map[string]struct {
			target string
			want   time.Duration
		}{
			"the tag, and a time":         {projectID + "?wait_for_change=true&timeout_sec=60&last_etag=" + tag, time.Minute},
			"a shorter time":              {projectID + "?wait_for_change=true&timeout_sec=7&last_etag=" + tag, 7 * time.Second},
			"a second":                    {projectID + "?wait_for_change=true&timeout_sec=1&last_etag=" + tag, time.Second},
			"no time":                     {projectID + "?wait_for_change=true&last_etag=" + tag, time.Minute},
			"a day":                       {projectID + "?wait_for_change=true&timeout_sec=86400&last_etag=" + tag, time.Minute},
			"no time at all":              {projectID + "?wait_for_change=true&timeout_sec=0&last_etag=" + tag, time.Minute},
			"a time that is none":         {projectID + "?wait_for_change=true&timeout_sec=x&last_etag=" + tag, time.Minute},
			"no tag: a change from now":   {projectID + "?wait_for_change=true&timeout_sec=5", 5 * time.Second},
			"another tag":                 {projectID + "?wait_for_change=true&timeout_sec=60&last_etag=0", 0},
			"an empty tag":                {projectID + "?wait_for_change=true&timeout_sec=60&last_etag=", 0},
			"not to wait":                 {projectID + "?wait_for_change=false&timeout_sec=60&last_etag=" + tag, 0},
			"of another value":            {v1 + "project/numeric-project-id?wait_for_change=true&timeout_sec=60&last_etag=" + tag, 0},
			"a directory":                 {v1 + "instance/?recursive=true&wait_for_change=true&timeout_sec=3", 3 * time.Second},
			"an access token":             {token + "?wait_for_change=true&timeout_sec=3", 3 * time.Second},
			"an ID token":                 {idToken + "&wait_for_change=true&timeout_sec=3", 3 * time.Second},
			"what is not there":           {v1 + "instance/maintenance-event?wait_for_change=true", 0},
			"an access token, not known":  {token + "?wait_for_change=true&last_etag=0", 0},
			"an ID token without waiting": {idToken, 0},
		} {
			w, took := await(t.Context(), h, test.target)
			if took != test.want {
				t.Errorf("%s: answered after %s, want %s", name, took, test.want)
			}
			if missing := name == "what is not there"; (w.Code == http.StatusNotFound) != missing || !missing && w.Code != http.StatusOK {
				t.Errorf("%s: status %d", name, w.Code)
			}
			if took > 0 && (!w.readUntil.IsZero() || w.writeUntil.Before(time.Now().Add(time.Second)) || w.Header().Get("ETag") == "") {
				t.Errorf("%s: the server's time-outs cut it off, or it has no tag: read until %s, write until %s", name, w.readUntil, w.writeUntil)
			}
		}
		if plain.Body.String() != "example-project" || tag == "" || atOnce.Header().Get("ETag") == "" || strings.Contains(atOnce.Header().Get("ETag"), "ya29") {
			t.Errorf("tags %q, %q", tag, atOnce.Header().Get("ETag"))
		}
	})
}

// TestWaitForToken: a client that waits for a change of the token has the new one within
// a second or so of its renewal, by another tag, and an error at once.
func TestWaitForToken(t *testing.T) {
	for name, target := range map[string]string{"access token": accounts + "default/token?", "ID token": accounts + "default/identity?audience=x&"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				now, fails := federation.Credential{Token: "ya29.old", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, error(nil)
				get := func() (federation.Credential, error) {
					mu.Lock()
					defer mu.Unlock()
					return now, fails
				}
				h := waiting()
				h.AccessToken = func(context.Context, []string) (federation.Credential, error) { return get() }
				h.IDToken = func(context.Context, string) (federation.Credential, error) { return get() }
				first, _ := await(t.Context(), h, target+"wait_for_change=true&last_etag=0")
				time.AfterFunc(10500*time.Millisecond, func() {
					mu.Lock()
					defer mu.Unlock()
					now = federation.Credential{Token: "ya29.new", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}
				})
				tag := first.Header().Get("ETag")
				second, took := await(t.Context(), h, target+"wait_for_change=true&last_etag="+tag)
				if took != 11*time.Second || !strings.Contains(second.Body.String(), "ya29.new") || second.Header().Get("ETag") == tag {
					t.Errorf("%s after %s, tag %s", second.Body, took, second.Header().Get("ETag"))
				}
				time.AfterFunc(1500*time.Millisecond, func() {
					mu.Lock()
					defer mu.Unlock()
					fails = &federation.Error{Cloud: "gcp", Kind: federation.KindUnavailable, Message: "down"}
				})
				third, took := await(t.Context(), h, target+"wait_for_change=true&last_etag="+second.Header().Get("ETag"))
				if took != 2*time.Second || third.Code != http.StatusServiceUnavailable || third.Header().Get("ETag") != "" {
					t.Errorf("%d after %s", third.Code, took)
				}
			})
		})
	}
}

// TestFailureIsNotWaitedWith: where there is no token there is no change to wait for.
func TestFailureIsNotWaitedWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting()
		h.AccessToken = func(context.Context, []string) (federation.Credential, error) {
			return federation.Credential{}, &federation.Error{Cloud: "gcp", Kind: federation.KindDenied, Message: "why"}
		}
		if w, took := await(t.Context(), h, accounts+"default/token?wait_for_change=true"); w.Code != http.StatusBadRequest || took != 0 {
			t.Errorf("%d after %s", w.Code, took)
		}
	})
}

// TestWaitEnds: as soon as the client goes, or the server stops.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting()
		gone, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if w, took := await(gone, h, projectID+"?wait_for_change=true"); took != 100*time.Millisecond || w.Body.Len() > 0 {
			t.Errorf("a client that has gone is answered %q after %s", w.Body, took)
		}
		done := make(chan struct{})
		h.Done = done
		time.AfterFunc(200*time.Millisecond, func() { close(done) })
		if w, took := await(t.Context(), h, projectID+"?wait_for_change=true"); took != 200*time.Millisecond || w.Body.String() != "example-project" {
			t.Errorf("at the server's stop: %q after %s", w.Body, took)
		}
	})
}

// TestWaitIsBounded: of any number of requests that wait, 32 are held, and others are
// sent away; when those have ended, there is room again.
func TestWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := waiting()
		var ok, refused atomic.Int32
		for range 2 {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					w, took := await(t.Context(), h, projectID+"?wait_for_change=true&timeout_sec=10")
					switch {
					case w.Code == http.StatusOK && took == 10*time.Second:
						ok.Add(1)
					case w.Code == http.StatusServiceUnavailable && took == 0 && w.Header().Get("Retry-After") == "5":
						refused.Add(1)
					}
				})
			}
			wg.Wait()
		}
		if ok.Load() != 64 || refused.Load() != 136 {
			t.Errorf("%d were held, want 64; %d refused, want 136", ok.Load(), refused.Load())
		}
	})
}

// TestWaitNeedsDeadlines: behind a writer that hides the connection, a request would be
// cut off in the middle; it is not held.
func TestWaitNeedsDeadlines(t *testing.T) {
	if got := ask(waiting(), projectID+"?wait_for_change=true"); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d", got.StatusCode)
	}
}

// TestSubscribe does what Go's metadata.SubscribeWithContext does, against a server with
// the broker's time-outs, each shorter than the wait: it used to ask 4,300 times a second.
func TestSubscribe(t *testing.T) {
	var asked atomic.Int32
	h := waiting()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h.ServeHTTP(w, r)
	}))
	s.Config.ReadTimeout, s.Config.WriteTimeout = 200*time.Millisecond, 300*time.Millisecond
	s.Start()
	defer s.Close()
	for _, suffix := range []string{"project/project-id", "instance/service-accounts/default/token", "instance/service-accounts/default/identity?audience=x"} {
		asked.Store(0)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		subscribe(ctx, s.URL+v1+suffix)
		cancel()
		if n := asked.Load(); n > 3 {
			t.Errorf("%s: asked %d times in 1.5 s", suffix, n)
		}
	}
}

func subscribe(ctx context.Context, target string) {
	get := func(u string) (tag string, ok bool) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return "", false
		}
		req.Header.Set("Metadata-Flavor", "Google")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", false // the context has ended
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.Header.Get("Etag"), err == nil && resp.StatusCode == http.StatusOK
	}
	tag, ok := get(target)
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	for ok {
		tag, ok = get(target + separator + "wait_for_change=true&last_etag=" + url.QueryEscape(tag))
	}
}
