package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestLargePage: of a page that is larger than what is received ahead every object is read,
// and so is the page after it; one that breaks off is an error, wherever it does.
func TestLargePage(t *testing.T) {
	text := strings.Repeat("x", 1<<20)
	var first []string
	for i := range 12 { // MiB, and maxAhead has eight
		first = append(first, fmt.Sprintf(`{"name":"%d","text":%q}`, i, text))
	}
	pages := map[string]string{
		"":     `{"metadata":{"continue":"next"},"items":[` + strings.Join(first, ",") + `]}`,
		"next": `{"metadata":{},"items":[{"name":"last"}]}`,
	}
	for name, test := range map[string]struct {
		sent int // of the first page; 0: all
		want []string
		ends string
	}{
		"all":                  {0, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "last"}, ""},
		"breaks off":           {3 << 20, nil, "list secrets: unexpected EOF"},
		"breaks off far ahead": {10<<20 + 1000, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "list secrets: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				page := pages[r.URL.Query().Get("continue")]
				w.Header().Set("Content-Length", fmt.Sprint(len(page)))
				if test.sent > 0 {
					page = page[:test.sent]
				}
				_, _ = io.WriteString(w, page) // an error means that the client has gone
			}))
			defer server.Close()
			client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = each(t.Context(), client.CoreV1().RESTClient(), collection{base: "/api/v1", resource: "secrets", accept: "application/json"}, func(raw json.RawMessage) error {
				var object struct{ Name string }
				if err := json.Unmarshal(raw, &object); err != nil {
					return err
				}
				got = append(got, object.Name)
				return nil
			})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if text := fmt.Sprint(err); test.ends == "" && err != nil || test.ends != "" && text != test.ends {
				t.Errorf("got error %v, want %q", err, test.ends)
			}
		})
	}
}
