package webhook

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/podpass-io/podpass/webhook/sastore"
)

// TestRoomIsBounded: sixteen reviews of 3 MiB were read at once, and the process killed.
// What does not fit is refused after a second; small reviews and pods that opted in have
// room all the same.
func TestRoomIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(128 << 20)
		var held []func()
		for {
			release, err := room.body(t.Context(), false, maxBody)
			if errors.Is(err, errNoRoom) {
				break
			}
			held = append(held, release)
		}
		if len(held) != 1 {
			t.Errorf("%d of the largest bodies at once, want 1", len(held))
		}
		if _, err := room.body(t.Context(), false, -1); !errors.Is(err, errNoRoom) {
			t.Errorf("a body of unknown length: %v", err)
		}
		for name, test := range map[string]struct {
			optedIn bool
			length  int64
		}{"small": {false, 6000}, "opted in": {true, maxBody}} {
			if _, err := room.body(t.Context(), test.optedIn, test.length); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		held[0]()
		if _, err := room.body(t.Context(), false, maxBody); err != nil {
			t.Errorf("room that was given back: %v", err)
		}
	})
}

// TestPlansAreWeighed: a pod of 100 KiB can become 10 MiB.
func TestPlansAreWeighed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(128 << 20)
		worst := []byte(strings.Repeat(`{"name":"c"},`, 12_000))
		release, err := room.plan(t.Context(), false, worst)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := room.plan(t.Context(), false, worst); !errors.Is(err, errNoRoom) {
			t.Errorf("two of the worst at once: %v", err)
		}
		if _, err := room.plan(t.Context(), false, []byte(podOf("orders", ""))); err != nil {
			t.Errorf("an ordinary pod beside it: %v", err)
		}
		release()
	})
}

// TestNoRoomIsNotAnAnswer: failurePolicy must decide, and the room of a review is given
// back whatever became of it.
func TestNoRoomIsNotAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
		large := strings.Replace(reviewOf(podOf("orders", "")), "app:1", "app:"+strings.Repeat("1", largeBody), 1)
		for range 100 {
			post(t, h, large, "application/json")
			post(t, h, "{"+strings.Repeat(" ", largeBody), "application/json")
		}
		release, err := h.Room.body(t.Context(), false, maxBody)
		if err != nil {
			t.Fatalf("room was not given back: %v", err)
		}
		if w := post(t, h, large, "application/json"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d", w.Code)
		}
		release()
		if w := post(t, h, large, "application/json"); w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
	})
}

// TestHonestPodsBesideHugeOnes: each is answered, while others fill the room.
func TestHonestPodsBesideHugeOnes(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
	server := httptest.NewServer(h)
	defer server.Close()
	send := func(body string) int {
		resp, err := http.Post(server.URL+"/mutate", "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	huge := reviewOf(fmt.Sprintf(`{"metadata":{"name":"p"},"spec":{"serviceAccountName":"orders","containers":[%s{}]}}`, strings.Repeat(`{"name":"c"},`, 60_000)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { send(huge) })
	}
	for range 20 {
		if status := send(reviewOf(podOf("orders", ""))); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	wg.Wait()
}

// TestOptedInEntriesHaveTheirOwnRoom: by the path of their entries of the registration.
func TestOptedInEntriesHaveTheirOwnRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
		large := strings.Replace(reviewOf(podOf("orders", "")), "app:1", "app:"+strings.Repeat("1", largeBody), 1)
		if _, err := h.Room.body(t.Context(), false, maxBody); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]int{"/mutate": http.StatusServiceUnavailable, "/mutate/opted-in": http.StatusOK} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(large))
			req.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, req); w.Code != want {
				t.Errorf("%s: status %d, want %d", path, w.Code, want)
			}
		}
		if got := count(t, h.Metrics, "overloaded", "overloaded"); got != 1 {
			t.Errorf("%v counted as overloaded", got)
		}
	})
}
