package statickeys

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShows: a secret is seen however it is written, wherever it is within base64.
func TestShows(t *testing.T) {
	t.Parallel()
	// No key: only the signs that encodings treat differently.
	const secret = "ab+cd/ef&gh?ij>kl~mn=op"
	std, web := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	tests := map[string]struct{ text, want string }{
		"plain":                       {"key: " + secret + "\n", "in plain text"},
		"base64":                      {std([]byte(secret)), "in base64"},
		"base64 after one byte":       {std([]byte("x" + secret + "more")), "in base64"},
		"base64 after two":            {std([]byte("xy" + secret + "more")), "in base64"},
		"base64 of a file":            {std([]byte("[default]\nkey = " + secret + "\n")), "in base64"},
		"base64url":                   {web([]byte("a" + secret)), "in base64"},
		"percent-encoded as a query":  {url.QueryEscape(secret), "percent-encoded"},
		"percent-encoded as a path":   {url.PathEscape(secret), "percent-encoded"},
		"in JSON":                     {`{"k":"ab+cd/ef\u0026gh?ij\u003ekl~mn=op"}`, "quoted"},
		"another":                     {"ab+cd/ef&gh?ij>kl~mn=oq", ""},
		"its beginning":               {secret[:12], ""},
		"what no encoding is told of": {hex.EncodeToString([]byte(secret)), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := shows(test.text, secret); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestNotShown: it fails for each secret that is shown, by its number, and shows none itself.
func TestNotShown(t *testing.T) {
	t.Parallel()
	cases := []Case{
		{Name: "first", Secrets: []string{"not in the output", "opens the door"}},
		{Name: "second", Secrets: []string{"opens the gate"}},
		{Name: "without"},
	}
	tests := map[string]struct {
		output string
		want   []string
	}{
		"nothing": {"first: aws-access-key, likely", nil},
		"both":    {"opens the door, opens%20the%20gate", []string{"the table shows secret 1 of first, in plain text", "the table shows secret 0 of second, percent-encoded"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recorder{TB: t}
			NotShown(&r, "the table", []byte(test.output), cases)
			if diff := cmp.Diff(test.want, r.failures); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// recorder keeps the failures of a test.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
