package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxResponse bounds what is read of a cloud's answer. The largest real ones, STS
// credentials and ID tokens, take a few KiB.
const maxResponse = 256 << 10

// Response is what was answered, its body whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// recorder is a RoundTripper that keeps how the last request ended: with an answer,
// with an error, or neither, when none was sent.
type recorder struct {
	next http.RoundTripper
	// timeout bounds a request, its answer's body included; 0: no bound. An
	// http.Client's own ends some requests as canceled, by whom nobody can tell.
	timeout time.Duration

	mu   sync.Mutex
	last *Response
	err  error
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, body, err := r.roundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last, r.err = nil, err; err != nil {
		return nil, err
	}
	r.last = &Response{Status: resp.StatusCode, Header: resp.Header, Body: body}
	return resp, nil
}

func (r *recorder) roundTrip(req *http.Request) (*http.Response, []byte, error) {
	if err := checkScheme(req.URL); err != nil {
		return nil, nil, errors.Join(err, closeBody(req))
	}
	if r.timeout > 0 {
		ctx, cancel := context.WithTimeout(req.Context(), r.timeout)
		defer cancel() // the body has been read by then
		req = req.WithContext(ctx)
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, nil, err
	}
	if len(body) > maxResponse {
		return nil, nil, fmt.Errorf("the answer of %s is larger than %d bytes", req.URL.Host, maxResponse)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, body, nil
}

// closeBody is what a RoundTripper owes a request, sent or not.
func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

func (r *recorder) outcome() (*Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.err
}
