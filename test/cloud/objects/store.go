// Package objects has stand-ins for the clouds' object stores: S3, Google Cloud Storage and
// Azure's Blob service, as far as an object is read and replaced. Each takes a request only
// at its address and with what it wants of one, and keeps the request's condition.
package objects

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Object is what is kept of one.
type Object struct {
	Body []byte
	// Version as the store's header has it.
	Version                   string
	ContentType, CacheControl string
}

// Store is one bucket, or container. It is safe for concurrent use.
type Store struct {
	// host and path are where the objects must be asked for.
	host, path string
	// unauthorized says why a request may not pass; "": it may.
	unauthorized func(*http.Request) string
	// condition is the version that a write depends on, and described what readers get.
	condition func(http.Header) (version string, absent bool)
	described func(http.Header) (contentType, cacheControl string)
	// version is the header of versions, and tagged: they are entity tags.
	version string
	tagged  bool

	mu      sync.Mutex
	objects map[string]Object
	writes  []string
}

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := s.unauthorized(r); why != "" {
		refuse(w, http.StatusForbidden, "AccessDenied", why)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, s.path)
	if r.Host != s.host || !ok {
		refuse(w, http.StatusNotFound, "NoSuchBucket", r.Host+r.URL.Path)
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.get(w, name)
	case http.MethodPut:
		s.put(w, r, name)
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", r.Method)
	}
}

// Public shows the objects to everybody, below a prefix of their names.
func (s *Store) Public(prefix string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "" {
			refuse(w, http.StatusForbidden, "AccessDenied", "only the public reads here")
			return
		}
		s.get(w, prefix+strings.TrimPrefix(r.URL.Path, "/"))
	})
}

// Writes are the names of the objects in the order in which they were written.
func (s *Store) Writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// Objects are what there is, by name.
func (s *Store) Objects() map[string]Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects)
}

// Set puts an object there as somebody does by hand.
func (s *Store) Set(name string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[name] = o
}

func (s *Store) get(w http.ResponseWriter, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[name]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey", name)
		return
	}
	w.Header().Set(s.version, o.Version)
	w.Header().Set("Content-Type", o.ContentType)
	w.Header().Set("Cache-Control", o.CacheControl)
	_, _ = w.Write(o.Body) // an error means that the client has gone
}

func (s *Store) put(w http.ResponseWriter, r *http.Request, name string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "IncompleteBody", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have, exists := s.objects[name]
	want, absent := s.condition(r.Header)
	if absent == exists || exists && want != have.Version {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
		return
	}
	o := Object{Body: body, Version: fmt.Sprint(len(s.writes) + 7)}
	if s.tagged {
		o.Version = `"` + o.Version + `"`
	}
	o.ContentType, o.CacheControl = s.described(r.Header)
	s.objects[name] = o
	s.writes = append(s.writes, name)
	w.WriteHeader(http.StatusCreated)
}

// refuse answers in XML, as all of them do, after the byte order mark that Azure sends.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}
