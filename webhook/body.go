package webhook

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// bodyTime is how long a large body may take to arrive, while it keeps its room; a
// small one has the server's own time-out.
const bodyTime = 3 * time.Second

// readReview reads the body of a review; its error is what the HTTP answer says,
// with the status.
func readReview(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	if r.ContentLength > largeBody || r.ContentLength < 0 {
		control := http.NewResponseController(w)
		if control.SetReadDeadline(time.Now().Add(bodyTime)) == nil {
			defer func() { _ = control.SetReadDeadline(time.Time{}) }() // or the answer would end with it
		}
	}
	tooLarge := errors.New("the review cannot be read, or is larger than 4 MiB")
	if r.ContentLength < 0 {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return nil, http.StatusRequestEntityTooLarge, tooLarge
		}
		return body, 0, nil
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, http.StatusBadRequest, tooLarge
	}
	return body, 0, nil
}

// refuseEarly is what can be said of a request before its body is read.
func refuseEarly(r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, errors.New("only POST is allowed")
	}
	// What API servers write is looked at first: to parse it is a part of the whole.
	if t := r.Header.Get("Content-Type"); t != "application/json" {
		if t, _, err := mime.ParseMediaType(t); err != nil || t != "application/json" {
			return http.StatusUnsupportedMediaType, errors.New("the Content-Type must be application/json")
		}
	}
	if r.ContentLength > maxBody {
		return http.StatusRequestEntityTooLarge, errors.New("the review is larger than 4 MiB")
	}
	return 0, nil
}
