package doctor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestExec: the broker's words come by exec, as an API server streams it over WebSockets
// (v5.channel.k8s.io: each message begins with its stream's number), once, and also where
// the command fails because a credential is missing.
func TestExec(t *testing.T) {
	const exited = `{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"1"}]}}`
	for name, test := range map[string]struct {
		stdout, stderr, status string
		want, err              string
	}{
		"well":      {"{}", "", `{"status":"Success"}`, "{}", ""},
		"missing":   {`{"tokens":[]}`, "no credential", exited, `{"tokens":[]}`, ""},
		"no broker": {"", "no such file", exited, "", "no such file"},
		"too much":  {strings.Repeat("x", maxExplanation+1), "", `{"status":"Success"}`, "", "longer than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				if got := r.URL.Path + " " + strings.Join(r.URL.Query()["command"], " ") + " " + r.URL.Query().Get("container"); got != "/api/v1/namespaces/shop/pods/orders-1/exec /podpass-broker explain -o json podpass-broker" {
					t.Errorf("asked for %s", got)
				}
				c, err := (&websocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io"}}).Upgrade(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = c.Close() }() // the answer is what is tested
				for stream, text := range []string{"", test.stdout, test.stderr, test.status} {
					if text == "" {
						continue
					}
					if err := c.WriteMessage(websocket.BinaryMessage, append([]byte{byte(stream)}, text...)); err != nil {
						return // the client has had enough
					}
				}
				_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")) // it may have gone
			}))
			defer server.Close()
			config := &rest.Config{Host: server.URL}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			got, err := execer{client, config}.ask(t.Context(), "shop", "orders-1")
			if err == nil && test.err != "" || err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if test.err == "" && string(got) != test.want || asked != 1 {
				t.Errorf("asked %d times, got %q, want %q", asked, got, test.want)
			}
		})
	}
}
