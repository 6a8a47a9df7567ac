package azureapi_test

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker/azureapi"
)

// TestLimits: exactly at its bound a request is served, and above it refused; each
// character that no scope has is.
func TestLimits(t *testing.T) {
	claims := func(n int) string { return "&claims=" + `{"x":"` + strings.Repeat("x", n-8) + `"}` }
	for query, want := range map[string]int{
		"resource=" + strings.Repeat("x", 1024): 200, "resource=" + strings.Repeat("x", 1025): 400,
		"resource=x" + claims(4096): 200, "resource=x" + claims(4097): 400,
		"resource=!~": 200, "resource=%7f": 400, "resource=a%20b": 400, "resource=a%22b": 400, "resource=a%5cb": 400, "resource=%c3%a4": 400,
		"resource=x&client_id=&client_id=": 400, "resource=x&object_id=": 200, "resource=x&object_id=&object_id=y": 400,
	} {
		e := new(entra)
		got := ask(e.handler(), azureapi.Path+"?"+query)
		if got.Code != want || len(e.asked) != map[int]int{200: 1, 400: 0}[want] {
			t.Errorf("%.60s of %d bytes: %d, want %d; Entra was asked %d times", query, len(query), got.Code, want, len(e.asked))
		}
		if want == 400 {
			checkError(t, got, 400)
		}
	}
}

func TestIsIMDS(t *testing.T) {
	for path, want := range map[string]bool{
		"/metadata/identity": true, "/metadata/identity/oauth2/token": true, "//Metadata/Identity/x": true, "/metadata/identit": false, "/metadata": false, "": false, azureapi.Path: false, "/aws/v1/credentials/reports": false,
	} {
		if azureapi.IsIMDS(path) != want {
			t.Errorf("%q: %t", path, !want)
		}
	}
}
