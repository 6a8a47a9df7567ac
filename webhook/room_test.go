package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/semaphore"

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

// TestRoomOfALimit: an eighth of the process's memory for bodies and three for plans, a
// quarter of each for who opted in or not, small or large; and what one review of the
// largest kind needs in any case. In bytes.
func TestRoomOfALimit(t *testing.T) {
	type sizes struct{ smallBody, largeBody, smallPlan, largePlan int64 }
	least := sizes{4 << 20, 4<<20 + 16<<10, 8 << 20, 16 << 20}
	for name, test := range map[string]struct {
		limit int64
		want  sizes
	}{
		"1 GiB":            {1 << 30, sizes{32 << 20, 32 << 20, 64 << 20, 128 << 20}},
		"the chart's":      {128 << 20, least},
		"none":             {math.MaxInt64, least},
		"unset":            {0, least},
		"less than enough": {1 << 20, sizes{2 << 20, 4<<20 + 16<<10, 8 << 20, 16 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			room := NewRoom(test.limit)
			for i := range 2 {
				for part, want := range map[*semaphore.Weighted]int64{
					room.bodies[i][0]: test.want.smallBody, room.bodies[i][1]: test.want.largeBody,
					room.plans[i][0]: test.want.smallPlan, room.plans[i][1]: test.want.largePlan,
				} {
					if part.TryAcquire(want+1) || !part.TryAcquire(want) {
						t.Errorf("opted in %d: a part is not of %d bytes", i, want)
					}
				}
			}
		})
	}
}

// TestWhatReviewsTake: a body its length and 16 KiB; a plan 12 KiB an object, 16 MiB at
// most. From 128 KiB and 2 MiB on they take it of the room of large ones.
func TestWhatReviewsTake(t *testing.T) {
	const limit = 1 << 30 // 32 MiB of bodies, 64 of small plans, 128 of large ones
	body := func(length int64) func(*Room) (func(), error) {
		return func(r *Room) (func(), error) { return r.body(t.Context(), false, length) }
	}
	plan := func(objects int) func(*Room) (func(), error) {
		pod := bytes.Repeat([]byte("{}"), objects)
		return func(r *Room) (func(), error) { return r.plan(t.Context(), false, pod) }
	}
	for name, test := range map[string]struct {
		take func(*Room) (func(), error)
		room func(*Room) *semaphore.Weighted
		all  int64
		want int64
	}{
		"an empty body":              {body(0), func(r *Room) *semaphore.Weighted { return r.bodies[0][0] }, 32 << 20, 16 << 10},
		"the largest small body":     {body(128 << 10), func(r *Room) *semaphore.Weighted { return r.bodies[0][0] }, 32 << 20, 144 << 10},
		"the smallest large body":    {body(128<<10 + 1), func(r *Room) *semaphore.Weighted { return r.bodies[0][1] }, 32 << 20, 144<<10 + 1},
		"a body of unknown length":   {body(-1), func(r *Room) *semaphore.Weighted { return r.bodies[0][1] }, 32 << 20, 4<<20 + 16<<10},
		"a plan of one object":       {plan(1), func(r *Room) *semaphore.Weighted { return r.plans[0][0] }, 64 << 20, 12 << 10},
		"the largest small plan":     {plan(170), func(r *Room) *semaphore.Weighted { return r.plans[0][0] }, 64 << 20, 170 * 12 << 10},
		"the smallest large plan":    {plan(171), func(r *Room) *semaphore.Weighted { return r.plans[0][1] }, 128 << 20, 171 * 12 << 10},
		"the largest plan":           {plan(1366), func(r *Room) *semaphore.Weighted { return r.plans[0][1] }, 128 << 20, 16 << 20},
		"one that would take more":   {plan(100_000), func(r *Room) *semaphore.Weighted { return r.plans[0][1] }, 128 << 20, 16 << 20},
		"just below the largest":     {plan(1365), func(r *Room) *semaphore.Weighted { return r.plans[0][1] }, 128 << 20, 1365 * 12 << 10},
		"a body of the largest kind": {body(4 << 20), func(r *Room) *semaphore.Weighted { return r.bodies[0][1] }, 32 << 20, 4<<20 + 16<<10},
	} {
		t.Run(name, func(t *testing.T) {
			room := NewRoom(limit)
			release, err := test.take(room)
			if err != nil {
				t.Fatal(err)
			}
			part := test.room(room)
			if part.TryAcquire(test.all-test.want+1) || !part.TryAcquire(test.all-test.want) {
				t.Errorf("does not take %d bytes", test.want)
			}
			release()
			if !part.TryAcquire(test.want) {
				t.Error("does not give back what it took")
			}
		})
	}
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

// TestOnlyPlansTakeTheirRoom: where all of it is taken, a pod that asks for nothing is
// answered, and one that gets an identity is left to failurePolicy.
func TestOnlyPlansTakeTheirRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role), "plain": {}}})
		for _, part := range h.Room.plans[0] {
			for part.TryAcquire(1 << 10) {
			}
		}
		for account, want := range map[string]int{"plain": http.StatusOK, "orders": http.StatusServiceUnavailable} {
			if w := post(t, h, reviewOf(podOf(account, "")), "application/json"); w.Code != want {
				t.Errorf("%s: status %d, want %d", account, w.Code, want)
			}
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
