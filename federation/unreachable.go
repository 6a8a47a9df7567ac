package federation

import (
	"context"
	"errors"
	"net"
	"net/url"
)

// Unreachable is the [*Error] for a request to which no cloud answered.
func Unreachable(ctx context.Context, cloud, op, endpoint string, err error) *Error {
	e := &Error{Kind: KindUnavailable, Cloud: cloud, Op: op, Err: cause(err)}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind = KindCanceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = endpoint + " did not answer in time"
		e.Hint = "check the network policy, proxy and DNS between the pod and " + endpoint
	case errors.Is(err, errRedirect):
		e.Kind, e.Hint = KindConfig, "set the endpoint to where "+endpoint+" redirects, if that is right"
	default:
		e.Hint = "check the network policy, proxy, DNS and CA bundle between the pod and " + endpoint
	}
	return e
}

// cause takes off the *url.Error, which repeats the URL: some clients put
// parameters there.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	if o, ok := errors.AsType[*net.OpError](err); ok {
		return o
	}
	return err
}
