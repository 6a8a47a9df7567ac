package failure

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// reportEvery is how often the same error is logged: an SDK that asks in a loop
// must not fill the node's disk with one line of log.
const reportEvery = time.Minute

// Bounds of what is remembered: so many errors, and the beginning of each.
const (
	maxErrors = 32
	maxError  = 256
)

// Reporter logs errors that are worth a line: a new one, and the same one once a
// minute. Its zero value is ready; it is safe for concurrent use.
type Reporter struct {
	mu       sync.Mutex
	reported map[string]time.Time
}

// Report logs why a request gets no credential, since some SDKs show nothing of it.
func (r *Reporter) Report(log *slog.Logger, request *http.Request, err error) {
	if r.due(err.Error(), time.Now()) {
		log.Warn("No credential for the application", "path", request.URL.Path, "kind", federation.KindOf(err), "userAgent", request.UserAgent(), "error", err)
	}
}

// due reports whether an error's text was not reported within the last minute.
func (r *Reporter) due(text string, now time.Time) bool {
	text = text[:min(len(text), maxError)]
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.reported[text]) < reportEvery {
		return false
	}
	for text, at := range r.reported {
		if now.Sub(at) >= reportEvery {
			delete(r.reported, text)
		}
	}
	if len(r.reported) >= maxErrors {
		return false // so many different ones within a minute are a flood too
	}
	if r.reported == nil {
		r.reported = map[string]time.Time{}
	}
	r.reported[text] = now
	return true
}
