package endpoint_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/endpoint"
)

// TestProxyPassword: the error of a proxy that is not reached has not the password that is
// in its variable. Go reads that once a process, hence another one.
func TestProxyPassword(t *testing.T) {
	const proxy = "http://podpass:hunter2@127.0.0.1:1"
	if os.Getenv("HTTPS_PROXY") == proxy {
		client, err := endpoint.NewClient(nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://sts.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(req)
		t.Log(err)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyPassword$", "-test.v")
	cmd.Env = append(os.Environ(), "HTTPS_PROXY="+proxy)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "proxyconnect") || strings.Contains(string(out), "hunter2") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCheckProxy: what Go's client does not take would only show in every pod.
func TestCheckProxy(t *testing.T) {
	for url, ok := range map[string]bool{
		"http://proxy:3128": true, "https://proxy.corp.example": true, "socks5://10.0.0.1:1080/": true, "socks5h://[2001:db8::1]:1080": true,
		"proxy:3128": false, "http://:3128": false, "http://proxy:65536": false, "http://proxy/pac": false, "ftp://proxy": false, "http://u:p@proxy": false, "": false,
	} {
		if err := endpoint.CheckProxy(url); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %t", url, err, ok)
		}
	}
}
