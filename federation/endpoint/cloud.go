package endpoint

import (
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Cloud is what is not common to all clouds: how one writes its errors, what its
// codes mean, and what is to be done about them.
type Cloud interface {
	// Read gives the error that an answer holds; false: these are not the cloud's
	// words.
	Read(Response) (Words, bool)
	// Table is what the codes mean.
	Table() Table
	// Hint is the likely cause and the next step of an error whose Kind is known.
	Hint(*federation.Error) string
}

// Words are the cloud's own.
type Words struct {
	Code    string
	Message string
	// Class is a broader code, for codes that the table does not have.
	Class      string
	RequestID  string
	RetryAfter time.Duration
}

// Table is what codes mean. The first row that fits counts.
type Table []Row

// Row is a code, or a code whose message holds a text.
type Row struct {
	Code string
	// Text in lower case; empty fits all.
	Text string
	Kind federation.Kind
	// Trusted: see federation.Error.ProvesTrust.
	Trusted bool
}

// find gives the row of w; the zero Row if there is none.
func (t Table) find(w Words) Row {
	message := strings.ToLower(w.Message)
	for _, code := range []string{w.Code, w.Class} {
		for _, r := range t {
			if r.Code == code && strings.Contains(message, r.Text) {
				return r
			}
		}
	}
	return Row{}
}
