// Package cloud has strict stand-ins for the clouds: AWS STS, Google's STS and IAM
// credentials, and Entra; and for an OAuth 2.0 server that is none of them. They verify
// what the clouds verify, by a trust configuration, and refuse in the clouds' own
// words. The clouds' unmodified SDKs, which work against them as against the clouds,
// hold them true. Their object stores are package objects.
package cloud

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/podpass-io/podpass/test/cloud/awssts"
	"github.com/podpass-io/podpass/test/cloud/entra"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/gcpsts"
	"github.com/podpass-io/podpass/test/cloud/oauth"
	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Clouds are the stand-ins, on TLS listeners of this machine.
type Clouds struct {
	// AWS, GCP (both of its APIs) and Azure are base URLs.
	AWS   string `json:"aws"`
	GCP   string `json:"gcp"`
	Azure string `json:"azure"`
	// OAuth is an OAuth 2.0 server that is none of the clouds.
	OAuth string `json:"oauth"`
	// CAFile vouches for all of them.
	CAFile string `json:"caFile"`
	// Faults makes them fail, and counts requests, by the operations "aws",
	// "gcp-sts", "gcp-iam", "azure" and "oauth".
	Faults *fault.Injector `json:"-"`

	signer  *signer.Signer
	servers []*http.Server

	mu    sync.RWMutex // trust is not changed while a request is answered
	aws   *awssts.Server
	gcp   *gcpsts.Server
	azure *entra.Server
}

// Serve starts the clouds on free ports of host, with a certificate for it.
func Serve(host string, certificate tls.Certificate, config trust.Config) (*Clouds, error) {
	verifier := trust.NewVerifier(config.Issuers)
	sign, err := signer.New()
	if err != nil {
		return nil, err
	}
	c := &Clouds{
		Faults: new(fault.Injector), signer: sign,
		aws:   &awssts.Server{Verifier: verifier},
		gcp:   &gcpsts.Server{Verifier: verifier, Signer: sign},
		azure: &entra.Server{Verifier: verifier, Signer: sign},
	}
	c.SetTrust(config)
	for _, s := range []struct {
		url       *string
		handler   http.Handler
		operation func(*http.Request) string
	}{
		{&c.AWS, c.aws, awsOperation},
		{&c.GCP, c.gcp, gcpOperation},
		{&c.Azure, c.azure, azureOperation},
		{&c.OAuth, &oauth.Server{Trust: config.OAuth, Verifier: verifier, Signer: sign}, oauthOperation},
	} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		*s.url = "https://" + l.Addr().String()
		server := &http.Server{
			Handler: c.Faults.Wrap(s.operation, c.reading(s.handler)), ReadHeaderTimeout: 5 * time.Second,
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
			ErrorLog:  quiet(),
		}
		c.servers = append(c.servers, server)
		go func() { _ = server.ServeTLS(l, "", "") }() // ends with Close
	}
	return c, nil
}

// SetTrust changes what the three clouds trust; what they have handed out stays good, as at
// the clouds. Issuers, and the OAuth 2.0 server's trust, stay as Serve had them.
func (c *Clouds) SetTrust(config trust.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aws.Trust, c.gcp.Trust, c.azure.Trust = config.AWS, config.GCP, config.Azure
}

func (c *Clouds) reading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.RLock()
		defer c.mu.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// KeyUses is how often each static key was used, by its ID: an access key's, that of a key
// of a Google service account, that of a client secret.
func (c *Clouds) KeyUses() map[string]int {
	uses := map[string]int{}
	for _, u := range []*trust.Uses{&c.aws.Uses, &c.gcp.Uses, &c.azure.Uses} {
		maps.Copy(uses, u.Counts())
	}
	return uses
}

// awsOperation counts exchanges only: who-am-I calls are the test's own.
func awsOperation(r *http.Request) string {
	if strings.Contains(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256") {
		return ""
	}
	return "aws"
}

func gcpOperation(r *http.Request) string {
	switch {
	case r.URL.Path == "/v1/token":
		return "gcp-sts"
	case strings.HasPrefix(r.URL.Path, "/v1/projects/"):
		return "gcp-iam"
	}
	return ""
}

func azureOperation(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		return "azure"
	}
	return ""
}

func oauthOperation(r *http.Request) string {
	if r.URL.Path == "/token" {
		return "oauth"
	}
	return ""
}

// Close ends the clouds.
func (c *Clouds) Close() error {
	c.Faults.Clear()
	var errs []error
	for _, s := range c.servers {
		errs = append(errs, s.Close())
	}
	c.signer.Close()
	return errors.Join(errs...)
}

// Admin is the control of running clouds: POST and DELETE /faults, GET /requests, PUT
// /trust, and GET /uses, which are KeyUses.
func (c *Clouds) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var f fault.Fault
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&f); err != nil {
			http.Error(w, fmt.Sprintf("not a fault: %v", err), http.StatusBadRequest)
			return
		}
		c.Faults.Set(f)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		c.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /trust", func(w http.ResponseWriter, r *http.Request) {
		var config trust.Config
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&config); err != nil {
			http.Error(w, fmt.Sprintf("not a trust configuration: %v", err), http.StatusBadRequest)
			return
		}
		c.SetTrust(config)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /uses", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(c.KeyUses()) // an error means that the client has gone
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(c.Faults.Requests()) // an error means that the client has gone
	})
	return mux
}
