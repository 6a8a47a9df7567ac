package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// trusting is a client that trusts the clouds.
func (w *world) trusting(t *testing.T) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(w.clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
}

// reusing is a client of the broker that keeps its connection, for many requests.
type reusing struct {
	http *http.Client
	url  string
}

func (w *world) reusing(t *testing.T) reusing {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return reusing{&http.Client{Transport: transport}, w.url}
}

func (c reusing) status(t *testing.T, path string, header string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(header, ": ")
	req.Header.Set(name, value)
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil { // so that the connection is kept
		t.Fatal(err)
	}
	return resp.StatusCode
}

// azureClaims are those of the access token in an answer.
func azureClaims(t *testing.T, body string) (claims struct {
	Audience string `json:"aud"`
	Client   string `json:"azp"`
	Tenant   string `json:"tid"`
}) {
	t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(token.AccessToken, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestAzureResources: each resource has its own token, one request to Entra each,
// by both shapes together.
func TestAzureResources(t *testing.T) {
	w := start(t, nil)
	const shapes = 2
	for range 3 {
		for _, resource := range []string{"https://vault.azure.net", "https://storage.azure.com/", "https://database.windows.net", "api://22222222-2222-3333-4444-555555555555"} {
			for _, request := range [shapes][]string{{"/azure/v1/token?api-version=2019-08-01&resource=", azureHeader}, {"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=", imdsHeader}} {
				got := w.get(t, request[0]+url.QueryEscape(resource), request[1])
				if got.status != http.StatusOK {
					t.Fatalf("%s: status %d: %s", resource, got.status, got.body)
				}
				if claims := azureClaims(t, got.body); claims.Audience != resource || claims.Client != client || claims.Tenant != tenant {
					t.Errorf("%s: a token of %+v", resource, claims)
				}
			}
		}
	}
	if n := w.counts("azure", 5); n != 5 { // and the one that start-up gets
		t.Errorf("%d requests to Entra, want 5", n)
	}
}

// TestAzureClaimsChallenge: a token that a challenge asked for is not the one that
// was there before.
func TestAzureClaimsChallenge(t *testing.T) {
	w := start(t, nil)
	before := w.get(t, azurePath, azureHeader)
	after := w.get(t, azurePath+"&claims="+url.QueryEscape(`{"access_token":{"nbf":{"essential":true,"value":"1"}}}`), azureHeader)
	if before.status != http.StatusOK || after.status != http.StatusOK {
		t.Fatalf("status %d and %d", before.status, after.status)
	}
	if n := w.counts("azure", 3); n != 3 {
		t.Errorf("%d requests to Entra, want 3: start-up's, and one each", n)
	}
}

// TestAzureResourceUnknown: the resource's fault, explained at once, and no other
// resource's.
func TestAzureResourceUnknown(t *testing.T) {
	w := start(t, nil)
	got := w.get(t, "/azure/v1/token?resource=vault", azureHeader)
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "AADSTS70011") || !strings.Contains(got.body, `\"vault\"`) {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if got := w.get(t, azurePath, azureHeader); got.status != http.StatusOK {
		t.Errorf("another resource: status %d", got.status)
	}
}

// TestAzureJustFederated: a federated credential that was just made takes minutes to
// work everywhere; the pod asks again with pauses, and needs no restart.
func TestAzureJustFederated(t *testing.T) {
	w := start(t, nil)
	w.counts("azure", 1) // start-up's request does not meet the fault
	w.clouds.Faults.Set(fault.Fault{Operation: "azure", Status: 400, Count: 1,
		Body: `{"error":"invalid_request","error_description":"AADSTS70021: No matching federated identity record found for presented assertion."}`})
	const path = "/azure/v1/token?resource=https://graph.microsoft.com"
	if got := w.get(t, path, azureHeader); got.status != http.StatusForbidden || !strings.Contains(got.body, "AADSTS70021") || !strings.Contains(got.body, "minutes") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if w.get(t, path, azureHeader).status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatal("not asked again")
		}
	}
}

// TestAzureFloodOfResources: 10,000 requests for as many resources make no flood of
// requests to Entra, and what the application needs is served all the while.
func TestAzureFloodOfResources(t *testing.T) {
	w := start(t, nil)
	client := w.reusing(t)
	if status := client.status(t, azurePath, azureHeader); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	before := w.counts("azure", 2)
	began := time.Now()
	statuses := map[int]int{}
	for i := range 10_000 {
		statuses[client.status(t, fmt.Sprint("/azure/v1/token?resource=https://r", i, ".example.com"), azureHeader)]++
		if i%10 == 0 {
			if status := client.status(t, azurePath, azureHeader); status != http.StatusOK {
				t.Fatalf("after %d requests the application's own: status %d", i, status)
			}
		}
	}
	allowed := 64 + int(time.Since(began).Seconds()) + 1
	// On a busy machine Entra's answer comes too late for one or the other.
	late := statuses[http.StatusServiceUnavailable]
	asked := w.counts("azure", before+statuses[http.StatusOK]+late) - before
	if asked > allowed || statuses[http.StatusOK]+late != asked || late > asked/10 || asked+statuses[http.StatusTooManyRequests] != 10_000 {
		t.Errorf("%d requests to Entra, want at most %d; answers %v", asked, allowed, statuses)
	}
	// The other clouds have limits of their own.
	if got := w.get(t, gcpToken+"?scopes=a", gcpHeader); got.status != http.StatusOK {
		t.Errorf("GCP: status %d", got.status)
	}
	if lines := strings.Count(w.logs.String(), "No credential for the application"); lines > 5 {
		t.Errorf("%d lines of log for one error", lines)
	}
}

// TestBoundsOfTheServer: headers, slow senders, and what is no HTTP.
func TestBoundsOfTheServer(t *testing.T) {
	t.Parallel() // it waits
	w := start(t, nil)
	address := strings.TrimPrefix(w.url, "http://")
	for name, test := range map[string]struct {
		sent string
		want string
	}{
		"long headers":      {"GET /azure/v1/token HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		"a long path":       {"GET /" + strings.Repeat("x", 16<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 431 "},
		"two hosts":         {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\nMetadata-Flavor: Google\r\n\r\n", "HTTP/1.1 400 "},
		"no host":           {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		"no host, HTTP/1.0": {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 403 "},
		"another host's":    {"GET http://evil.example.com/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 403 "},
		"no HTTP":           {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400 "},
		"smuggled":          {"GET " + azurePath + " HTTP/1.1\r\nHost: localhost\r\n" + azureHeader + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "HTTP/1.1 501 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exchangeBytes(t, address, test.sent, 10*time.Second)
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %.40q, want %q", got, test.want)
			}
		})
	}
	t.Run("half a request", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		if got := exchangeBytes(t, address, "GET / HTTP/1.1\r\nHost: local", 10*time.Second); strings.HasPrefix(got, "HTTP/1.1 2") {
			t.Errorf("got %q", got)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("the connection was kept for %s", took)
		}
	})
}

// exchangeBytes sends bytes, and gives what comes until the end of the answer's head,
// or of the connection.
func exchangeBytes(t *testing.T, address, sent string, patience time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte(sent)) // the broker may close before all is written
	var got strings.Builder
	for buffer := make([]byte, 1024); !strings.Contains(got.String(), "\r\n\r\n"); {
		n, err := conn.Read(buffer)
		got.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	return got.String()
}

// TestAnyAzureClient: a ServiceAccount that names no client is served at once, for
// whichever client the application names, without anything to find out at the start.
func TestAnyAzureClient(t *testing.T) {
	w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, _ *world) {
		*ids = serviceaccount.Identities{Azure: &azure.Identity{TenantID: tenant, Audience: azure.DefaultAudience}}
	})
	if got := w.get(t, broker.ReadyPath); got.status != http.StatusOK {
		t.Errorf("not ready: %d %s", got.status, got.body)
	}
	const path = "/azure/v1/token?api-version=2019-08-01&resource=https://vault.azure.net"
	header := "X-IDENTITY-HEADER: " + secret
	got := w.get(t, path+"&client_id="+client, header)
	if claims := azureClaims(t, got.body); got.status != http.StatusOK || claims.Client != client || claims.Tenant != tenant {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.get(t, path, header); got.status != http.StatusBadRequest || !strings.Contains(got.body, "AZURE_CLIENT_ID") {
		t.Errorf("no client named: %d %s", got.status, got.body)
	}
}

// TestOtherAzureClients: one pod has several applications, each asked for by its client ID;
// the pod's own where none is named, and nobody else's.
func TestOtherAzureClients(t *testing.T) {
	const other, stranger = "22222222-2222-3333-4444-555555555555", "33333333-2222-3333-4444-555555555555"
	w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, _ *world) {
		again := c.Azure.Tenants[0].Applications[0]
		again.ClientID = other
		c.Azure.Tenants[0].Applications = append(c.Azure.Tenants[0].Applications, again)
		*ids = serviceaccount.Identities{Azure: &azure.Identity{
			ClientID: client, TenantID: tenant, Audience: azure.DefaultAudience, Others: []azure.Application{{ClientID: other, TenantID: tenant}},
		}}
	})
	const path = "/azure/v1/token?api-version=2019-08-01&resource=https://vault.azure.net"
	for asked, want := range map[string]string{"": client, "&client_id=" + client: client, "&client_id=" + other: other, "&client_id=" + stranger: ""} {
		got := w.get(t, path+asked, "X-IDENTITY-HEADER: "+secret)
		switch {
		case want == "" && got.status != http.StatusBadRequest:
			t.Errorf("%q: %d %s", asked, got.status, got.body)
		case want != "" && (got.status != http.StatusOK || azureClaims(t, got.body).Client != want):
			t.Errorf("%q: %d %s", asked, got.status, got.body)
		}
	}
}
