package publish

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/podpass-io/podpass/federation/issuer"
)

const contentType = "application/json"

// store is an object store over HTTP: a PUT replaces an object whole, in all of them.
type store struct {
	name   string
	prefix string
	client *http.Client
	// url gives an object's address, without credentials.
	url func(object string) string
	// version reads the version of an answer; only makes a write depend on one.
	version func(http.Header) string
	only    func(header http.Header, had Version)
	// describe says in the store's own headers what readers get.
	describe func(header http.Header, o Object)
	// authorize is the last to touch a request.
	authorize func(r *http.Request, body []byte) error
}

func (s *store) String() string { return s.name }

// Get implements Place.
func (s *store) Get(ctx context.Context, path string) (Object, Version, error) {
	o := Object{Path: path}
	resp, err := s.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return o, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		e := refusal("read", path, resp)
		if e.Code == "NoSuchBucket" || e.Code == "ContainerNotFound" {
			return o, "", e
		}
		return o, "", nil
	}
	if resp.StatusCode != http.StatusOK {
		return o, "", refusal("read", path, resp)
	}
	o.ContentType, o.CacheControl = resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control")
	if o.Body, err = io.ReadAll(io.LimitReader(resp.Body, issuer.MaxSize+1)); err != nil {
		return o, "", fmt.Errorf("read %s: %w", path, err)
	}
	if len(o.Body) > issuer.MaxSize {
		return o, "", fmt.Errorf("read %s: larger than %d bytes", path, issuer.MaxSize)
	}
	version := s.version(resp.Header)
	if version == "" {
		return o, "", fmt.Errorf("read %s: the store gives it no version, so that nothing could be written safely", path)
	}
	return o, Version(version), nil
}

// Put implements Place.
func (s *store) Put(ctx context.Context, o Object, had Version) error {
	header := http.Header{}
	s.only(header, had)
	s.describe(header, o)
	resp, err := s.do(ctx, http.MethodPut, o.Path, header, o.Body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
		return nil
	case http.StatusPreconditionFailed, http.StatusConflict:
		return fmt.Errorf("write %s: %w", o.Path, ErrChanged)
	}
	return refusal("write", o.Path, resp)
}

func (s *store) do(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url(object(s.prefix, path)), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if err := s.authorize(req, body); err != nil {
		return nil, err
	}
	direct := *s.client
	// A redirect would take the credentials to a host that nobody has chosen.
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := direct.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the address may hold a signature
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return resp, nil
}

// maxRefusal bounds what is read of a refusal, maxWords what is shown of it.
const (
	maxRefusal = 16 << 10
	maxWords   = 300
)

// refusal reads a store's error, which is XML in all of them; what is none is left out.
func refusal(op, path string, resp *http.Response) *RefusedError {
	e := &RefusedError{Op: op, Path: path, Status: resp.StatusCode}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return e
	}
	var words struct {
		Code    string
		Message string
	}
	if xml.Unmarshal(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), &words) == nil { // Azure sends a byte order mark
		e.Code, e.Message = clip(words.Code), clip(words.Message)
	}
	return e
}

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + "..."
	}
	return s
}

// whole are the conditions of RFC 9110, by entity tag.
func whole(header http.Header, had Version) {
	if had == "" {
		header.Set("If-None-Match", "*")
		return
	}
	header.Set("If-Match", string(had))
}

func standard(header http.Header, o Object) {
	header.Set("Content-Type", o.ContentType)
	header.Set("Cache-Control", o.CacheControl)
}
