package gcpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Bounds of requests that wait for a change, which Google's server may hold for ever.
const (
	// maxWait is also what a client waits that names no time.
	maxWait = time.Minute
	// maxWaiting requests are held at a time; each is a connection and a goroutine. A
	// library watches one value.
	maxWaiting = 32
	// lookEvery is how often the value is looked at meanwhile.
	lookEvery = time.Second
)

// wait holds a request that waits for a change (wait_for_change) while the tag of the
// value is the one that the client knows (last_etag), up to timeout_sec. Answered at
// once, Go's Subscribe asks again thousands of times a second. Without a tag, "", there
// is nothing to wait for. false: there is nothing more to answer.
//
// https://cloud.google.com/compute/docs/metadata/querying-metadata#waitforchange
func (h *Handler) wait(w http.ResponseWriter, r *http.Request, query url.Values, tag func() string) (goOn bool) {
	known := tag()
	switch {
	case known == "" || !waits(query):
		return true
	case query.Has("last_etag") && query.Get("last_etag") != known:
		return true
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > maxWaiting {
		w.Header().Set("Retry-After", "5")
		text(w, http.StatusServiceUnavailable, "too many requests of this pod wait for a change")
		return false
	}
	d := waitOf(query)
	if err := moveDeadlines(w, d); err != nil {
		text(w, http.StatusInternalServerError, "waiting for a change: "+err.Error())
		return false
	}
	end, look := time.NewTimer(d), time.NewTicker(lookEvery)
	for tag() == known {
		select {
		case <-r.Context().Done():
			return false // the client has gone
		case <-h.Done:
			return true
		case <-end.C:
			return true
		case <-look.C:
		}
	}
	return true
}

func waits(query url.Values) bool { return query.Get("wait_for_change") == "true" }

// waitOf is how long a client waits for a change.
func waitOf(query url.Values) time.Duration {
	seconds, _ := strconv.Atoi(query.Get("timeout_sec")) // 0 if it is no number
	if seconds < 1 || seconds > int(maxWait.Seconds()) {
		return maxWait
	}
	return time.Duration(seconds) * time.Second
}

// moveDeadlines gives a request that waits for d more time than the server gives to
// others: at the end of ReadTimeout net/http cancels the request's context, and at that
// of WriteTimeout nothing is sent any more.
func moveDeadlines(w http.ResponseWriter, d time.Duration) error {
	const toAnswer = 5 * time.Second
	c := http.NewResponseController(w)
	return errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Now().Add(d+toAnswer)))
}

// credential gives what get gives, within the patience of clients; to a client that
// waits for a change, once it is another one. Its tag is when it came: nothing is made
// of a token. false: the request is answered.
func (h *Handler) credential(w http.ResponseWriter, r *http.Request, query url.Values, get func(context.Context) (federation.Credential, error)) (c federation.Credential, err error, goOn bool) {
	came := ""
	goOn = h.wait(w, r, query, func() string {
		ctx, cancel := context.WithTimeout(r.Context(), hold)
		defer cancel()
		if c, err = get(ctx); err != nil {
			return ""
		}
		came = strconv.FormatInt(c.Expiry.Issued().UnixNano(), 16)
		return came
	})
	if waits(query) && err == nil {
		w.Header().Set("ETag", came)
	}
	return c, err, goOn
}
