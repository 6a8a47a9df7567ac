package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/podpass-io/podpass/federation"
)

// unanswered is the error of a request to which no cloud answered. Nearly all of
// them may pass: networks, proxies and certificates change without the pod.
func (c *Call) unanswered(ctx context.Context, err error) *federation.Error {
	e := &federation.Error{Kind: federation.KindUnavailable, Err: err}
	insecure, isInsecure := errors.AsType[*insecureError](err)
	refused, isRefused := errors.AsType[*proxyError](err)
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind = federation.KindCanceled
	case isInsecure:
		e.Kind, e.Message = federation.KindConfig, insecure.Error()
		e.Hint = "set the chart value " + c.Setting + " to an https URL"
	case isRefused:
		if e.Kind = transient(refused.status); e.Kind == "" {
			e.Kind = federation.KindConfig // until somebody changes the proxy's rules
		}
		e.Message = c.URL + " was not reached: " + refused.Error()
		e.Hint = "let the proxy connect to " + c.URL + " for this pod, or exclude it by NO_PROXY"
		if refused.status == http.StatusProxyAuthRequired {
			e.Hint = "the proxy wants credentials, in the variable HTTPS_PROXY; or exclude " + c.URL + " by NO_PROXY"
		}
	case isTimeout && timeout.Timeout():
		e.Message = c.URL + " did not answer in time: " + err.Error()
		e.Hint = "check the network policy, proxy and DNS between the pod and " + c.URL
	case isTLS(err):
		e.Message = c.URL + " speaks no TLS that is trusted: " + err.Error()
		e.Hint = "if a private CA or an inspecting proxy signs for " + c.URL + ", add its certificate to the chart value caBundle; else check the node's clock"
	default:
		e.Message = c.URL + " was not reached: " + err.Error()
		e.Hint = "check the network policy, proxy, DNS and CA bundle between the pod and " + c.URL
	}
	return e
}

// isTLS reports that the peer could not prove who it is, or speaks no TLS.
func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}
