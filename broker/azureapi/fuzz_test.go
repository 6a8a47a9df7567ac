package azureapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/federation"
)

// FuzzRequest: whatever bytes a process of the pod sends, nothing breaks, what is
// refused costs no exchange, and a token is only given to what the rules let pass,
// here written once more.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{
		appService, imds, appService + "&client_id=" + client, appService + "&client_id=" + another + ";", imds + "&msi_res_id=x",
		"//metadata/identity/oauth2/token/?resource=x", "/Metadata/identity/getplatformmetadata", appService + "&claims=%7B%7D", appService + "&resource=%ff",
	} {
		for _, rest := range []string{
			"Host: 127.0.0.1:9911\r\nX-IDENTITY-HEADER: " + uid + "\r\nMetadata: true\r\n\r\n", "Host: 169.254.169.254\r\nMetadata: true\r\n\r\n",
			"Host: localhost\r\nX-IDENTITY-HEADER: " + uid + "\r\nMetadata: true\r\nX-Forwarded-For: ::1\r\n\r\n", "Host: evil.example.com\r\n\r\n",
		} {
			f.Add([]byte("GET "+target+" HTTP/1.1\r\n"+rest), false)
			f.Add([]byte("GET "+target+" HTTP/1.1\r\n"+rest), true)
		}
	}
	f.Add([]byte("POST "+appService+" HTTP/1.1\r\nHost: localhost\r\nX-IDENTITY-HEADER: "+uid+"\r\nContent-Length: 1\r\n\r\nx"), false)
	f.Fuzz(func(t *testing.T, raw []byte, throttled bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // net/http refuses it before the handler
		}
		e := new(entra)
		if throttled {
			e.err = &federation.Error{Cloud: "azure", Kind: federation.KindThrottled, Message: "slow down"}
		}
		w := httptest.NewRecorder()
		isIMDS := azureapi.IsIMDS(r.URL.Path)
		if isIMDS {
			e.handler().IMDS().ServeHTTP(w, r)
		} else {
			e.handler().ServeHTTP(w, r)
		}

		statuses := []int{200, 400, 401, 403, 404, 405}
		if throttled && len(e.asked) > 0 {
			statuses = []int{429}
		}
		if !slices.Contains(statuses, w.Code) {
			t.Errorf("status %d", w.Code)
		}
		if !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("not JSON: %q", w.Body)
		}
		if len(e.asked) > 1 || len(e.asked) == 0 && w.Code == 200 || len(e.asked) > 0 && w.Code != 200 && w.Code != 429 {
			t.Errorf("status %d, and Entra was asked for %q", w.Code, e.asked)
		}
		if len(e.asked) > 0 && (!trusted(r, isIMDS) || len(e.asked[0]) > 1024+1+4096) {
			t.Errorf("Entra was asked for %q on behalf of %q", e.asked, raw)
		}
		if body := w.Body.String(); strings.Contains(body, "eyJ.secret") != (w.Code == 200) || strings.Contains(body, uid) && !strings.Contains(r.URL.Query().Get("resource"), uid) {
			t.Errorf("status %d, with a secret", w.Code)
		}
	})
}

// trusted are the rules for a request that may have a token.
func trusted(r *http.Request, isIMDS bool) bool {
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	names := []string{"127.0.0.1", "localhost", "::1", "[::1]", "169.254.169.254", "metadata", "metadata.google.internal"}
	if _, forwarded := r.Header["X-Forwarded-For"]; forwarded || r.Method != http.MethodGet || !slices.Contains(names, strings.TrimSuffix(host, ".")) {
		return false
	}
	for _, id := range r.URL.Query()["client_id"] {
		if id != "" && !strings.EqualFold(id, client) {
			return false
		}
	}
	if isIMDS {
		return strings.EqualFold(r.Header.Get("Metadata"), "true")
	}
	return r.Header.Get("X-Identity-Header") == uid
}
