package publish_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer/publish"
)

// cloud stands in for an object store: it takes a request only with what that store wants,
// and keeps its condition.
type cloud struct {
	// host and path are where the objects must be asked for.
	host, path string
	// authorized says why a request may not pass; "": it may.
	authorized func(*http.Request) string
	// condition is the version that a write depends on, and type and cache what readers get.
	condition func(http.Header) (version string, absent bool)
	described func(http.Header) (contentType, cacheControl string)
	version   string // the header of versions

	mu      sync.Mutex
	objects map[string]stored
	writes  []string
}

type stored struct {
	body                      []byte
	version                   string
	contentType, cacheControl string
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	refuse := func(status int, code, message string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	}
	if why := c.authorized(r); why != "" {
		refuse(http.StatusForbidden, "AccessDenied", why)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, c.path)
	if r.Host != c.host || !ok {
		refuse(http.StatusNotFound, "NoSuchBucket", r.Host+r.URL.Path)
		return
	}
	have, exists := c.objects[name]
	switch r.Method {
	case http.MethodGet:
		if !exists {
			refuse(http.StatusNotFound, "NoSuchKey", name)
			return
		}
		w.Header().Set(c.version, have.version)
		w.Header().Set("Content-Type", have.contentType)
		w.Header().Set("Cache-Control", have.cacheControl)
		_, _ = w.Write(have.body)
	case http.MethodPut:
		want, absent := c.condition(r.Header)
		if absent == exists || exists && want != have.version {
			refuse(http.StatusPreconditionFailed, "PreconditionFailed", "")
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(http.StatusBadRequest, "IncompleteBody", "")
			return
		}
		o := stored{body: body, version: fmt.Sprintf(`"%d"`, len(c.writes)+7)}
		if c.version == "X-Goog-Generation" {
			o.version = strings.Trim(o.version, `"`)
		}
		o.contentType, o.cacheControl = c.described(r.Header)
		c.objects[name] = o
		c.writes = append(c.writes, name)
		w.WriteHeader(http.StatusCreated)
	default:
		refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", r.Method)
	}
}

func entityTag(h http.Header) (string, bool) {
	return h.Get("If-Match"), h.Get("If-None-Match") == "*"
}

func standard(h http.Header) (string, string) {
	return h.Get("Content-Type"), h.Get("Cache-Control")
}

// start serves c under all names of the internet.
func start(t *testing.T, h http.Handler) *http.Client {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	client := server.Client()
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // the certificate's
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client.Transport = transport
	return client
}

var secrets = publish.Credentials{AWSAccessKeyID: "AKIAEXAMPLE", AWSSecretAccessKey: "hunter2", AWSSessionToken: "hunter3", Bearer: "hunter4", AzureSAS: "?sv=2024&sig=hunter5%3D"}

// TestStores: each store is asked as it wants to be, and of two writers the later one is
// told, everywhere.
func TestStores(t *testing.T) {
	bearer := func(r *http.Request) string {
		if r.Header.Get("Authorization") != "Bearer hunter4" {
			return "no token"
		}
		return ""
	}
	signed := func(r *http.Request) string {
		auth := r.Header.Get("Authorization")
		for _, want := range []string{"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/", "/eu-central-1/s3/aws4_request", "x-amz-content-sha256", "x-amz-security-token"} {
			if !strings.Contains(auth, want) {
				return auth + " lacks " + want
			}
		}
		if r.Method == http.MethodPut && (!strings.Contains(auth, "content-type") || !strings.Contains(auth, "cache-control")) {
			return "what readers get is not signed: " + auth
		}
		return ""
	}
	azure := func(r *http.Request) string {
		switch {
		case r.Header.Get("X-Ms-Version") != "2021-08-06" || r.Header.Get("X-Ms-Date") == "":
			return "no version or date"
		case r.Method == http.MethodPut && r.Header.Get("X-Ms-Blob-Type") != "BlockBlob":
			return "no blob type"
		}
		return ""
	}
	described := func(h http.Header) (string, string) {
		return h.Get("X-Ms-Blob-Content-Type"), h.Get("X-Ms-Blob-Cache-Control")
	}
	generation := func(h http.Header) (string, bool) {
		g := h.Get("X-Goog-If-Generation-Match")
		return g, g == "0"
	}
	noBearer := secrets
	noBearer.Bearer = ""
	for name, test := range map[string]struct {
		place       string
		credentials publish.Credentials
		cloud       *cloud
		objects     string // the beginning of their names
	}{
		"S3": {"s3://keys/prod?region=eu-central-1", secrets, &cloud{
			host: "keys.s3.eu-central-1.amazonaws.com", path: "/", authorized: signed, condition: entityTag, described: standard, version: "ETag",
		}, "prod/"},
		"S3, dots in the name": {"s3://keys.example.com?region=eu-central-1", secrets, &cloud{
			host: "s3.eu-central-1.amazonaws.com", path: "/keys.example.com/", authorized: signed, condition: entityTag, described: standard, version: "ETag",
		}, ""},
		"S3 elsewhere": {"s3://keys?region=eu-central-1&endpoint=https://minio.example.com:9000", secrets, &cloud{
			host: "minio.example.com:9000", path: "/keys/", authorized: signed, condition: entityTag, described: standard, version: "ETag",
		}, ""},
		"Google": {"gs://keys/prod", secrets, &cloud{
			host: "storage.googleapis.com", path: "/keys/", authorized: bearer, condition: generation, described: standard, version: "X-Goog-Generation",
		}, "prod/"},
		"Azure": {"az://account/keys/prod", secrets, &cloud{
			host: "account.blob.core.windows.net", path: "/keys/",
			authorized: func(r *http.Request) string { return bearer(r) + azure(r) },
			condition:  entityTag, described: described, version: "ETag",
		}, "prod/"},
		"Azure by signature": {"az://account/$web?suffix=blob.core.usgovcloudapi.net", noBearer, &cloud{
			host: "account.blob.core.usgovcloudapi.net", path: "/$web/",
			authorized: func(r *http.Request) string {
				if r.URL.RawQuery != "sv=2024&sig=hunter5%3D" || r.Header.Get("Authorization") != "" {
					return "no signature"
				}
				return azure(r)
			},
			condition: entityTag, described: described, version: "ETag",
		}, ""},
	} {
		test.cloud.objects = map[string]stored{}
		place, err := publish.Open(test.place, start(t, test.cloud), test.credentials)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Run(name, func(t *testing.T) { twoWriters(t, place) })
		first := []string{test.objects + "openid/v1/jwks", test.objects + ".well-known/openid-configuration"}
		if len(test.cloud.writes) < 2 || !cmp.Equal(test.cloud.writes[:2], first) || len(test.cloud.objects) != 2 {
			t.Errorf("%s: wrote %v", name, test.cloud.writes)
		}
		for object, o := range test.cloud.objects {
			if o.contentType != "application/json" || o.cacheControl != "public, max-age=3600" {
				t.Errorf("%s: %s is served as %q, %q", name, object, o.contentType, o.cacheControl)
			}
		}
	}
}

// TestHeadersAreMended: an object with the right content and the wrong headers, as one
// that was uploaded by hand, is written again.
func TestHeadersAreMended(t *testing.T) {
	c := &cloud{
		host: "storage.googleapis.com", path: "/keys/", version: "X-Goog-Generation", objects: map[string]stored{}, described: standard,
		authorized: func(*http.Request) string { return "" },
		condition: func(h http.Header) (string, bool) {
			g := h.Get("X-Goog-If-Generation-Match")
			return g, g == "0"
		},
	}
	place, err := publish.Open("gs://keys", start(t, c), secrets)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, place, wanted(keysOf(t, "rsa.pub")))
	o := c.objects["openid/v1/jwks"]
	o.contentType = "application/octet-stream"
	c.objects["openid/v1/jwks"] = o
	if p := apply(t, place, wanted(keysOf(t, "rsa.pub"))); !cmp.Equal(paths(p), []string{"/openid/v1/jwks"}) {
		t.Errorf("wrote %v", paths(p))
	}
}

// TestRefusals: a store's own words are told, clipped; its credentials are not, and go to
// no other host.
func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"words": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access\n Denied</Message></Error>")
		}, "read /openid/v1/jwks: status 403 AccessDenied: Access Denied"},
		"long words": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>"+strings.Repeat("a", 400)+"</Message></Error>")
		}, "read /openid/v1/jwks: status 403 AccessDenied: " + strings.Repeat("a", 300) + "..."},
		"no words": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>bad gateway")
		}, "read /openid/v1/jwks: status 502"},
		"no bucket": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<Error><Code>ContainerNotFound</Code></Error>")
		}, "read /openid/v1/jwks: status 404 ContainerNotFound"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "account.blob.core.windows.net" {
				t.Error("the redirect is followed, with the credentials")
			}
			http.Redirect(w, r, "https://evil.example.com/", http.StatusTemporaryRedirect)
		}, "read /openid/v1/jwks: status 307"},
		"no version": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{}")
		}, "read /openid/v1/jwks: the store gives it no version, so that nothing could be written safely"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, strings.Repeat(" ", 200<<10))
		}, "read /openid/v1/jwks: larger than 131072 bytes"},
		"nobody there": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "az://account/keys: EOF"},
	} {
		credentials := secrets
		credentials.Bearer = "" // the signature is in the address
		place, err := publish.Open("az://account/keys", start(t, test.answer), credentials)
		if err != nil {
			t.Fatal(err)
		}
		_, err = publish.Prepare(t.Context(), place, wanted(keysOf(t, "rsa.pub")))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if e, ok := errors.AsType[*publish.RefusedError](err); ok && e.Status == 0 {
			t.Errorf("%s: no status", name)
		}
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: a secret is told: %v", name, err)
		}
	}
}
