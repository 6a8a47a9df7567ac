package audit

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// maxAnswer bounds what the API server may answer: more than four pods as large as etcd
// takes them, 1.5 MiB each. What is decoded takes several times its length.
const maxAnswer = 8 << 20

// NewClient gives the client of an [Auditor], for which an answer above 8 MiB is the
// error 413 (apierrors.IsRequestEntityTooLargeError). It asks for protobuf, in which a
// pod is as long as in etcd; JSON may have six bytes for one.
func NewClient(config *rest.Config) (kubernetes.Interface, error) {
	return newClient(config, maxAnswer)
}

func newClient(config *rest.Config, most int) (kubernetes.Interface, error) {
	config = rest.CopyConfig(config)
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return bounded{next, most} })
	return kubernetes.NewForConfig(config)
}

type bounded struct {
	next http.RoundTripper
	most int // bytes of an answer
}

// RoundTrip reads the answer, which may have any length until it is read.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(b.most)+1))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("read the API server's answer: %w", err)
	}
	if len(body) > b.most {
		resp.StatusCode, resp.Status, body = http.StatusRequestEntityTooLarge, "", nil
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}
