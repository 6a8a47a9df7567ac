package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/objects"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/connect"
)

// internet gives a script the clouds by their own names, behind a proxy that its commands
// find in the environment: those that trade tokens, which trust shop/orders of the cluster
// prod; the object stores; and the issuers that are published there, or in $WORK/www.
// $WORK/ca.crt vouches for all.
func internet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: internet")
	}
	t, ok := ts.Value(testKey{}).(testing.TB)
	if !ok {
		ts.Fatalf("the script has no test")
	}
	sites := newSites(ts.MkAbs("www"))
	hosts := map[string]string{}
	for host := range sites {
		hosts[host] = "web"
	}
	for _, host := range []string{"sts.amazonaws.com", "sts.eu-central-1.amazonaws.com"} {
		hosts[host] = "aws"
	}
	for _, host := range []string{"sts.googleapis.com", "iamcredentials.googleapis.com"} {
		hosts[host] = "gcp"
	}
	hosts["login.microsoftonline.com"], hosts["registry.example.com"] = "azure", "oauth"

	names := []string{"127.0.0.1"}
	for host := range hosts {
		names = append(names, host)
	}
	caFile := ts.MkAbs("ca.crt")
	certificate, err := cloud.SelfSigned(caFile, names...)
	ts.Check(err)
	config := trust.Config{}
	if prod, ok := ts.Value(clustersKey{}).(map[string]*standIn)["prod"]; ok {
		config = orders.Trust(&issuer.Issuer{URL: prod.Issuer})
		config.Issuers = []trust.Issuer{{URL: prod.Issuer, JWKS: prod.JWKS}}
	}
	clouds, err := cloud.Serve("127.0.0.1", certificate, config)
	ts.Check(err)
	ts.Defer(func() { _ = clouds.Close() }) // the script's result is known
	web := httptest.NewUnstartedServer(sites)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	web.StartTLS()
	ts.Defer(web.Close)
	at := map[string]string{"web": web.URL, "aws": clouds.AWS, "gcp": clouds.GCP, "azure": clouds.Azure, "oauth": clouds.OAuth}
	proxy := connect.StartTo(t, "127.0.0.1:0", func(asked string) string {
		host, port, _ := strings.Cut(asked, ":")
		if port != "443" {
			return ""
		}
		return strings.TrimPrefix(at[hosts[host]], "https://")
	})
	ts.Setenv("HTTPS_PROXY", "http://"+proxy.Address)
	ts.Setenv("SSL_CERT_FILE", caFile)
	ts.Setenv("AWS_ACCESS_KEY_ID", objects.AccessKeyID)
	ts.Setenv("AWS_SECRET_ACCESS_KEY", objects.SecretAccessKey)
	ts.Setenv("AWS_SESSION_TOKEN", objects.SessionToken)
}

// sites are web servers by their host's name.
type sites map[string]http.Handler

func (s sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := s[r.Host]; ok {
		h.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

func newSites(www string) sites {
	const s3, blobs = "issuer-example.s3.eu-central-1.amazonaws.com", "issuerexample.blob.core.windows.net"
	aws, google, azure := objects.S3(s3, "/", "eu-central-1"), objects.GCS("issuer-example"), objects.Azure(blobs, "keys", false)
	return sites{
		s3: aws, "issuer.example.com": aws.Public(""),
		"storage.googleapis.com": open(google, http.StripPrefix("/issuer-example/", google.Public(""))),
		blobs:                    open(azure, http.StripPrefix("/keys/", azure.Public(""))),
		"oidc.example.com": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := os.ReadFile(filepath.Join(www, filepath.FromSlash(r.URL.Path)))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "public, max-age=3600")
			_, _ = w.Write(body) // an error means that the client has gone
		}),
	}
}

// open is a bucket that shows its objects to whoever has no credentials.
func open(store, public http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			public.ServeHTTP(w, r)
			return
		}
		store.ServeHTTP(w, r)
	})
}
