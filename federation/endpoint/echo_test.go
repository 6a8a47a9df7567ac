package endpoint_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

// TestForeignQuotesNoSecret: what answers in the cloud's place repeats the request, as
// debugging proxies do, in ways that no cloud would: nothing of it is quoted, wherever
// the quote is cut. A short secret has no piece to spare.
func TestForeignQuotesNoSecret(t *testing.T) {
	token, short := ft.Token{}.Raw(), "h7Qz-Kp2m_Xw9.Lr4tVb"
	var wide, unseen, marked, column strings.Builder
	for _, c := range []byte(token) {
		wide.Write([]byte{0, c})
		unseen.WriteString(string(c) + "\u200b")
		marked.WriteString(string(c) + "\u21b5")
		fmt.Fprintf(&column, "%c\n", c)
	}
	echoes := map[string]string{
		"UTF-16": wide.String(), "invisible breaks": unseen.String(), "marks of breaks": marked.String(), "a letter a line": column.String(),
		"spaces":     strings.ReplaceAll(lines(token, 4), "\n", " "),
		"lower case": strings.ToLower(token), "upper case": strings.ToUpper(token),
	}
	for _, n := range []int{2, 7, 15, 16, 40} {
		echoes[fmt.Sprint("lines of ", n)] = strings.ReplaceAll(lines(token, n), "\n", "\r\n")
	}
	maps.Copy(echoes, ft.Echoes(token))
	secrets := []federation.Secret{federation.Secret(token), federation.Secret(short)}
	compact := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if r > ' ' && r <= '~' {
				return r
			}
			return -1
		}, s))
	}
	shown := func(t *testing.T, body string) string {
		answers := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		e := ask(t.Context(), &http.Client{Transport: answers}, &endpoint.Call{URL: "https://sts.example.com", Secrets: secrets})
		if !strings.Contains(e.Message, "own words") {
			t.Fatalf("not foreign: %s", e)
		}
		return compact(fmt.Sprintf("%v %+v", e, *e))
	}
	for name, echo := range echoes {
		for form, body := range map[string]string{"a title": "<html><title>" + echo + "</title>", "a text": "<POST / HTTP/1.1> " + echo, "a document": `{"body":"` + echo + `"}`} {
			if got := shown(t, body); ft.Shows(got, compact(token)) || ft.Shows(got, token) {
				t.Errorf("%s, %s: %s", form, name, got)
			}
		}
	}
	for n := 2; n <= len(short)+1; n += 3 { // wherever the cut is, of the quote or of what is searched
		for _, before := range []int{200 - n, 3200 - n} {
			for form, body := range map[string]string{"words": strings.Repeat("x", before), "blanks": strings.Repeat("\n", before)} {
				if got := shown(t, body+short+"<p>and more"); strings.Contains(got, compact(short[:8])) {
					t.Errorf("%d %s before it: %s", before, form, got)
				}
			}
		}
	}
	if got := shown(t, strings.Repeat("\n", 3190)+short+"<p>and more"); !strings.Contains(got, `words:"[redacted]..."`) {
		t.Errorf("what begins before the cut and ends behind it: %s", got)
	}
	// What is hidden before it makes room for what stood behind the cut.
	tokens := strings.Repeat(token, 3000/len(token))
	for n := 2; n <= len(short)+1; n += 3 {
		if got := shown(t, tokens+strings.Repeat("\n", 3200-n-len(tokens))+short); strings.Contains(got, compact(short[:8])) {
			t.Errorf("after the token, at %d: %s", 3200-n, got)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func lines(s string, n int) string {
	var list []string
	for ; len(s) > n; s = s[n:] {
		list = append(list, s[:n])
	}
	return strings.Join(append(list, s), "\n")
}
