package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/podpass-io/podpass/federation"
)

// Error is why the call gave no credential. err is what the library that made the
// request says, which counts only where no request was sent; nil: there was an
// answer, and no credential in it.
func (c *Call) Error(ctx context.Context, err error) *federation.Error {
	e := c.explain(ctx, err)
	e.Cloud, e.Op = c.Cloud, c.Op
	c.clean(e)
	if e.Hint == "" {
		e.Hint = c.Reads.Hint(e) // last, for it may quote what is clean now
	}
	return e
}

func (c *Call) explain(ctx context.Context, err error) *federation.Error {
	resp, sent := c.recorder.outcome()
	switch {
	case resp != nil:
		return c.answered(*resp)
	case sent != nil:
		return c.unanswered(ctx, sent)
	case ctx.Err() != nil:
		return c.unanswered(ctx, ctx.Err())
	}
	return &federation.Error{Kind: federation.KindConfig, Err: err, Hint: "no request was sent: check the chart value " + c.Setting}
}

// answered reads an answer. Its status decides where that says enough for any cloud:
// the same words mean the same whoever they come from.
func (c *Call) answered(r Response) *federation.Error {
	e := &federation.Error{Status: r.Status, RetryAfter: retryAfter(r.Header)}
	if r.Status >= 300 && r.Status < 400 {
		return c.redirected(e, r)
	}
	w, own := c.Reads.Read(r)
	if !own {
		return c.foreign(e, r)
	}
	row := c.Reads.Table().find(w)
	e.Code, e.Message, e.RequestID, e.Trusted = w.Code, w.Message, w.RequestID, row.Trusted
	if e.RetryAfter == 0 {
		e.RetryAfter = boundRetryAfter(w.RetryAfter)
	}
	switch transient := transient(r.Status); {
	case row.Kind == federation.KindThrottled:
		e.Kind = row.Kind
	case transient != "":
		e.Kind, e.Trusted = transient, false
	case row.Kind != "":
		e.Kind = row.Kind
	case r.Status < 300:
		e.Kind = federation.KindUnavailable // a broken answer: the next one may be whole
	case r.Status == http.StatusNotFound:
		e.Kind = federation.KindConfig
	default:
		e.Kind = federation.KindDenied
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d and no text that can be read", c.URL, r.Status)
	}
	return e
}

// transient is the Kind of a status that means the same in every answer; "" for all
// others.
func transient(status int) federation.Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return federation.KindThrottled
	case status == http.StatusRequestTimeout, status >= 500:
		return federation.KindUnavailable
	}
	return ""
}

// redirected: nobody is asked twice, since a redirect that is not followed leads to
// the same one.
func (c *Call) redirected(e *federation.Error, r Response) *federation.Error {
	to := "elsewhere"
	if u, err := url.Parse(r.Header.Get("Location")); err == nil && u.Host != "" {
		to = u.Scheme + "://" + u.Host // the rest may repeat the request
	}
	e.Kind = federation.KindConfig
	e.Message = fmt.Sprintf("%s redirects to %s (status %d), which is refused: a token must only go where the administrator sends it", c.URL, to, r.Status)
	e.Hint = fmt.Sprintf("set the chart value %s to where tokens are to go; a proxy or captive portal between the pod and %s may redirect, too", c.Setting, c.URL)
	return e
}

// foreign is an answer of something between the pod and the cloud, or of another
// server: it says nothing about trust. A success may be a page of a proxy that will
// let requests pass later; a refusal stays until somebody changes something.
func (c *Call) foreign(e *federation.Error, r Response) *federation.Error {
	e.Kind = transient(r.Status)
	switch {
	case e.Kind != "":
	case r.Status < 300:
		e.Kind = federation.KindUnavailable
	default:
		e.Kind = federation.KindConfig
	}
	e.Message = fmt.Sprintf("%s answered with status %d, and not in the cloud's own words", c.URL, r.Status)
	if text := quote(r, scrubber(c.Secrets)); text != "" {
		e.Message += ": " + text
	}
	e.Hint = fmt.Sprintf("a proxy, gateway or captive portal between the pod and %s answered in its place, or the chart value %s names another server", c.URL, c.Setting)
	return e
}
