package publish_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer/publish"
	"github.com/podpass-io/podpass/test/cloud/objects"
)

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

var secrets = publish.Credentials{
	AWSAccessKeyID: objects.AccessKeyID, AWSSecretAccessKey: objects.SecretAccessKey, AWSSessionToken: objects.SessionToken,
	Bearer: objects.Bearer, AzureSAS: "?" + objects.SAS,
}

// TestStores: each store is asked as it wants to be, and of two writers the later one is
// told, everywhere.
func TestStores(t *testing.T) {
	noBearer := secrets
	noBearer.Bearer = ""
	for name, test := range map[string]struct {
		place       string
		credentials publish.Credentials
		store       *objects.Store
		objects     string // the beginning of their names
	}{
		"S3":                   {"s3://keys/prod?region=eu-central-1", secrets, objects.S3("keys.s3.eu-central-1.amazonaws.com", "/", "eu-central-1"), "prod/"},
		"S3, dots in the name": {"s3://keys.example.com?region=eu-central-1", secrets, objects.S3("s3.eu-central-1.amazonaws.com", "/keys.example.com/", "eu-central-1"), ""},
		"S3 elsewhere": {
			"s3://keys?region=eu-central-1&endpoint=https://minio.example.com:9000", secrets, objects.S3("minio.example.com:9000", "/keys/", "eu-central-1"), "",
		},
		"Google":             {"gs://keys/prod", secrets, objects.GCS("keys"), "prod/"},
		"Azure":              {"az://account/keys/prod", secrets, objects.Azure("account.blob.core.windows.net", "keys", false), "prod/"},
		"Azure by signature": {"az://account/$web?suffix=blob.core.usgovcloudapi.net", noBearer, objects.Azure("account.blob.core.usgovcloudapi.net", "$web", true), ""},
	} {
		place, err := publish.Open(test.place, start(t, test.store), test.credentials)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Run(name, func(t *testing.T) { twoWriters(t, place) })
		first := []string{test.objects + "openid/v1/jwks", test.objects + ".well-known/openid-configuration"}
		if w := test.store.Writes(); len(w) < 2 || !cmp.Equal(w[:2], first) || len(test.store.Objects()) != 2 {
			t.Errorf("%s: wrote %v", name, w)
		}
		for object, o := range test.store.Objects() {
			if o.ContentType != "application/json" || o.CacheControl != "public, max-age=3600" {
				t.Errorf("%s: %s is served as %q, %q", name, object, o.ContentType, o.CacheControl)
			}
		}
	}
}

// TestHeadersAreMended: an object with the right content and the wrong headers, as one
// that was uploaded by hand, is written again.
func TestHeadersAreMended(t *testing.T) {
	store := objects.GCS("keys")
	place, err := publish.Open("gs://keys", start(t, store), secrets)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, place, wanted(keysOf(t, "rsa.pub")))
	for name, spoil := range map[string]func(*objects.Object){
		"type":  func(o *objects.Object) { o.ContentType = "application/octet-stream" },
		"cache": func(o *objects.Object) { o.CacheControl = "private, max-age=0" },
	} {
		o := store.Objects()["openid/v1/jwks"]
		spoil(&o)
		store.Set("openid/v1/jwks", o)
		if p := apply(t, place, wanted(keysOf(t, "rsa.pub"))); !cmp.Equal(paths(p), []string{"/openid/v1/jwks"}) {
			t.Errorf("%s: wrote %v", name, paths(p))
		}
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
		"more words than are read": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>"+strings.Repeat("a", 17<<10)+"</Message></Error>")
		}, "read /openid/v1/jwks: status 403"},
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

// TestNothingIsPlannedHalfBlind: where the keys can be read and the document cannot, there is
// no plan: it would take the document for another's, or for none.
func TestNothingIsPlannedHalfBlind(t *testing.T) {
	store := objects.GCS("keys")
	place, err := publish.Open("gs://keys", start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		store.ServeHTTP(w, r)
	})), secrets)
	if err != nil {
		t.Fatal(err)
	}
	const want = "read /.well-known/openid-configuration: status 503"
	if p, err := publish.Prepare(t.Context(), place, wanted(keysOf(t, "rsa.pub"))); err == nil || err.Error() != want {
		t.Errorf("%v, %v, want %s", p, err, want)
	}
}
