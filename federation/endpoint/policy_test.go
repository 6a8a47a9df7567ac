package endpoint_test

import (
	"testing"

	"github.com/podpass-io/podpass/federation/endpoint"
)

func TestCheck(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://sts.example.com": true, "https://sts.example.com:8443/path": true, "http://127.0.0.1:9000": true, "http://[::1]:9000": true, "http://localhost": true,
		"http://sts.example.com": false, "http://127.0.0.1.example.com": false, "sts.example.com": false, "https://user:pass@sts.example.com": false,
		"https://": false, "ftp://127.0.0.1": false, "https://x?y=z": false, "https://x#y": false,
		"https://[::1": false, "https://x:port": false, "": false, "http://localhost.example.com": false, "http://10.0.0.1": false,
	} {
		if err := endpoint.Check(url); (err == nil) != ok {
			t.Errorf("%s: %v, want ok %t", url, err, ok)
		}
	}
}
