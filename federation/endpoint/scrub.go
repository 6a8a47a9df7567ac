package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"index/suffixarray"
	"net/url"
	"slices"
	"strings"
	"unicode"

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
		if text, _ := folded(s.Reveal()); len(text) >= minSecret {
			h = append(h, needle{min(minRun, len(text)), suffixarray.New([]byte(strings.Join(forms(s.Reveal()), "\x00")))})
		}
	}
	return h
}

// hide is s, cut to n bytes, with each piece of a secret replaced. What begins before
// the cut is looked at beyond it, so that no piece becomes too short to be known.
func (h hiding) hide(s string, n int) string {
	var out strings.Builder
	text, at := folded(s)
	last := 0
	for i := 0; i < len(text) && at[i] < n; {
		end := i
		for _, needle := range h {
			end = max(end, needle.match(text, i))
		}
		if end == i {
			i++
			continue
		}
		out.WriteString(s[last:at[i]] + redacted)
		last = at[end-1] + 1
		i = end
	}
	return out.String() + federation.Clip(s[last:], max(0, n-last))
}

// match is where the piece of the secret ends that begins at i; i if none does.
func (n needle) match(text []byte, i int) int {
	end := i
	for to := i + n.run; to <= len(text) && len(n.forms.Lookup(text[to-n.run:to], 1)) > 0; to++ {
		end = to
	}
	return end
}

// folded is what is compared of s: a secret is no less one in lower case, or broken by
// white space and by what is not to be seen, as UTF-16 is. at says where each byte
// stands in s.
func folded(s string) (text []byte, at []int) {
	for i, r := range s {
		if r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' {
			continue
		}
		text, at = append(text, byte(unicode.ToLower(r))), append(at, i)
	}
	return text, at
}

// forms are the ways in which a server writes what it was sent: as it was, and encoded
// for a URL, a JSON string, a page or a header, once or twice.
func forms(s string) []string {
	once := url.QueryEscape(s)
	list := []string{
		s, standard.Replace(s), jsonSlash.Replace(s), jsonUnicode.Replace(s), htmlDecimal.Replace(s), htmlHex.Replace(s),
		hex.EncodeToString([]byte(s)), once, url.QueryEscape(once),
	}
	// In base64 a text has three forms, by where it begins in what was encoded.
	for _, before := range []string{"", "x", "xx"} {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(before+s)), base64.URLEncoding.EncodeToString([]byte(before+s)))
	}
	for i, form := range list {
		text, _ := folded(form)
		list[i] = string(text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// What tokens and keys consist of, besides letters, digits, "-", "_" and ".".
var (
	standard    = strings.NewReplacer("-", "+", "_", "/") // a token's parts in the other base64
	jsonSlash   = strings.NewReplacer("/", `\/`)
	jsonUnicode = strings.NewReplacer("/", `\u002f`, "+", `\u002b`, "=", `\u003d`)
	htmlDecimal = strings.NewReplacer("/", "&#47;", "+", "&#43;", "=", "&#61;")
	htmlHex     = strings.NewReplacer("/", "&#x2F;", "+", "&#x2B;", "=", "&#x3D;")
)
