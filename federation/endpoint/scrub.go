package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"index/suffixarray"
	"net/url"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
)

const (
	// minRun is how much of a secret, in characters, is worth hiding: a server that
	// echoes a token may repeat a part of it, or break it into lines. It is too long
	// for a word that a text and a secret have in common by chance.
	minRun = 16
	// minSecret is how long a secret is at least: a shorter one is a word.
	minSecret = 8

	redacted = "[redacted]"
)

// hiding takes secrets out of texts.
type hiding []needle

// needle finds pieces of one secret, of at least run characters, in whatever encoding.
type needle struct {
	run   int
	forms *suffixarray.Index
}

func scrubber(secrets []federation.Secret) hiding {
	var h hiding
	for _, s := range secrets {
		if text := s.Reveal(); len(text) >= minSecret {
			h = append(h, needle{min(minRun, len(text)), suffixarray.New([]byte(strings.Join(forms(text), "\x00")))})
		}
	}
	return h
}

// hide replaces each piece of a secret.
func (h hiding) hide(s string) string {
	for _, n := range h {
		s = n.hide(s)
	}
	return s
}

func (n needle) hide(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		end := i
		for to := i + n.run; to <= len(s) && len(n.forms.Lookup([]byte(s[to-n.run:to]), 1)) > 0; to++ {
			end = to
		}
		if end > i {
			out.WriteString(redacted)
			i = end
			continue
		}
		out.WriteByte(s[i])
		i++
	}
	return out.String()
}

// forms are the ways in which a server writes what it was sent: as it was, and encoded
// for a URL, a JSON string, a page or a header, once or twice.
func forms(s string) []string {
	list := []string{s, standard.Replace(s), jsonSlash.Replace(s), jsonUnicode.Replace(s), htmlDecimal.Replace(s), htmlHex.Replace(s), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s)))}
	once := url.QueryEscape(s)
	for _, escaped := range []string{once, url.QueryEscape(once)} {
		list = append(list, escaped, lowerEscapes.Replace(escaped))
	}
	// In base64 a text has three forms, by where it begins in what was encoded.
	for _, before := range []string{"", "x", "xx"} {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(before+s)), base64.URLEncoding.EncodeToString([]byte(before+s)))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// What tokens and keys consist of, besides letters, digits, "-", "_" and ".".
var (
	standard     = strings.NewReplacer("-", "+", "_", "/") // a token's parts in the other base64
	jsonSlash    = strings.NewReplacer("/", `\/`)
	jsonUnicode  = strings.NewReplacer("/", `\u002f`, "+", `\u002b`, "=", `\u003d`)
	htmlDecimal  = strings.NewReplacer("/", "&#47;", "+", "&#43;", "=", "&#61;")
	htmlHex      = strings.NewReplacer("/", "&#x2F;", "+", "&#x2B;", "=", "&#x3D;")
	lowerEscapes = strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d", "%252F", "%252f", "%252B", "%252b", "%253D", "%253d")
)
