package endpoint

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation"
)

// Bounds of what is shown of what others wrote, in bytes.
const (
	maxCode    = 64
	maxMessage = 1024
	maxQuote   = 200
)

// maxRetryAfter bounds what a cloud may ask for: more is a mistake, and would in the
// end not fit a time.Duration.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the Retry-After header: seconds or a date; 0 if there is none.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil {
		return boundRetryAfter(time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return boundRetryAfter(time.Until(t))
	}
	return 0
}

func boundRetryAfter(d time.Duration) time.Duration { return max(0, min(d, maxRetryAfter)) }

// clean bounds what others wrote in e, and takes the call's secrets out of it.
func (c *Call) clean(e *federation.Error) {
	h := scrubber(c.Secrets)
	e.Code, e.RequestID, e.Message = h.line(e.Code, maxCode), h.line(e.RequestID, maxCode), h.line(e.Message, maxMessage)
	if e.Err != nil {
		if text := h.line(e.Err.Error(), maxMessage); text != e.Err.Error() {
			e.Err = hidden(text)
		}
	}
}

// hidden is an error of which only the text is kept: one below it prints what must
// not be printed.
type hidden string

func (e hidden) Error() string { return string(e) }

// line is s without secrets and control characters, cut to n bytes.
func (h hiding) line(s string, n int) string {
	// Cut twice: what is hidden gets shorter, and the search has to have an end.
	s = h.hide(s, 4*n)
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	return federation.Clip(strings.TrimSpace(s), n)
}

var title = regexp.MustCompile(`(?is)<title[^>]*>([^<]*)`)

// quote is what people recognise a refusal by: a page's title, or how the text begins.
// Nothing of a success, which may be a token. Secrets are taken out before it is cut:
// half of one is not known any more.
func quote(r Response, h hiding) string {
	if r.Status < 400 || !utf8.Valid(r.Body) {
		return ""
	}
	text := string(r.Body)
	if t := title.FindStringSubmatch(text); t != nil && strings.TrimSpace(t[1]) != "" {
		text = html.UnescapeString(t[1])
	}
	if text = strings.Join(strings.Fields(h.hide(text, 16*maxQuote)), " "); text == "" {
		return ""
	}
	return `"` + federation.Clip(text, maxQuote) + `"`
}
