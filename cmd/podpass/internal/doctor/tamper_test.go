package doctor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// tamper stands between doctor and an API server, or an issuer, and changes answers: what
// cannot be broken in a cluster that runs is broken on the way.
type tamper struct {
	next http.RoundTripper
	// at is the end of the path that is concerned; method "": any.
	at, method string
	// status, if it is set, is answered instead.
	status int
	// header is set, and edit changes the body.
	header map[string]string
	edit   func([]byte) []byte
}

func (t *tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	concerned := t.at != "" && strings.HasSuffix(r.URL.Path, t.at) && (t.method == "" || t.method == r.Method)
	if concerned && t.status != 0 {
		reason := map[int]string{403: "Forbidden", 404: "NotFound", 422: "Invalid"}[t.status]
		b, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": "tampered with", "code": t.status})
		if err != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: t.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b)), ContentLength: int64(len(b)), Request: r,
		}, nil
	}
	if concerned && t.edit != nil {
		r = r.Clone(r.Context())
		r.Header.Del("Accept-Encoding") // the transport then undoes compression
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil || !concerned {
		return resp, err
	}
	for k, v := range t.header {
		resp.Header.Set(k, v)
	}
	if t.edit != nil {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close() // it was read
		b = t.edit(b)
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		resp.Header.Del("Content-Length")
	}
	return resp, nil
}

// replace edits text.
func replace(from, to string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(from), []byte(to)) }
}

// editToken changes the header and the claims of a TokenRequest's token. Its signature is
// no longer good, which only a cloud would see.
func editToken(edit func(header, claims map[string]any)) func([]byte) []byte {
	return func(b []byte) []byte {
		var answer map[string]any
		if json.Unmarshal(b, &answer) != nil {
			return b
		}
		status := answer["status"].(map[string]any)
		parts := strings.Split(status["token"].(string), ".")
		var header, claims map[string]any
		for i, into := range []*map[string]any{&header, &claims} {
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil || json.Unmarshal(raw, into) != nil {
				return b
			}
		}
		edit(header, claims)
		for i, from := range []map[string]any{header, claims} {
			raw, err := json.Marshal(from)
			if err != nil {
				return b
			}
			parts[i] = base64.RawURLEncoding.EncodeToString(raw)
		}
		status["token"] = strings.Join(parts, ".")
		out, err := json.Marshal(answer)
		if err != nil {
			return b
		}
		return out
	}
}
