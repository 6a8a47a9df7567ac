package statickey

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
)

// near is how far from its ID a secret may stand in a text, in bytes: the next line of an
// ini file, the next argument, the next member of an object.
const near = 200

// secretLen is how long secrets of AWS and of Google's HMAC keys are.
const secretLen = 40

// accessKeys collects what has the shape of an access key's ID or its secret, and joins
// those that stand near each other.
func (f *finder) accessKeys(l *leaf) {
	text := l.text
	if strings.Contains(text, "%2") { // a URL, in which a secret has escapes
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	ids, secrets := scan(l, text)
	for _, s := range secrets {
		id := nearest(ids, s.at)
		if id == nil {
			continue
		}
		f.join(s.text, id, Key{Parts: []string{l.part}}, "a secret of its shape stands beside it")
	}
	f.ids, f.secrets = append(f.ids, ids...), append(f.secrets, secrets...)
}

// join makes a key of a secret and its ID, with the parts that k has, unless the ID says
// that it is temporary.
func (f *finder) join(secret string, id *token, k Key, evidence string) {
	id.used = true
	if temporary(id.text) {
		f.forget(secret)
		return
	}
	k.Confidence, k.secret = Certain, secret
	k = k.withAccessKey(id.text)
	k.Evidence = append(k.Evidence, evidence)
	f.add(k)
}

// forget a secret, wherever it stands: its credential is temporary.
func (f *finder) forget(secret string) {
	if f.short == nil {
		f.short = map[string]bool{}
	}
	f.short[secret] = true
	f.keys = slices.DeleteFunc(f.keys, func(k Key) bool { return k.secret == secret })
}

// nearest of the IDs to a secret: the last before it, else the first after it.
func nearest(ids []token, at int) *token {
	var best *token
	for i := range ids {
		switch id := &ids[i]; {
		case id.at < at && at-id.at <= near:
			best = id
		case id.at > at && best == nil && id.at-at <= near:
			return id
		}
	}
	return best
}

// scan gives the IDs and the secrets of access keys in a text, in their order.
func scan(l *leaf, text string) (ids, secrets []token) {
	for at := 0; at < len(text); {
		if !secretByte(text[at]) {
			at++
			continue
		}
		end := at + 1
		for end < len(text) && secretByte(text[end]) {
			end++
		}
		word := text[at:end]
		padded := end < len(text) && text[end] == '='
		switch {
		case accessKeyID(word):
			ids = append(ids, token{text: word, leaf: l, at: at})
		case len(word) == secretLen && !padded && accessKeySecret(word):
			secrets = append(secrets, token{text: word, leaf: l, at: at})
		case strings.Contains(word, "/"):
			// An ID within a path or URL.
			for part := range strings.SplitSeq(word, "/") {
				if accessKeyID(part) {
					ids = append(ids, token{text: part, leaf: l, at: at + strings.Index(word, part)})
				}
			}
		}
		at = end
	}
	return ids, secrets
}

// secretByte is whether b may be part of an access key's secret, or of a text too long to
// be one: what has - or _ in it is of another alphabet.
func secretByte(b byte) bool {
	return letter(rune(b)) || b == '/' || b == '+' || b == '-' || b == '_'
}

// accessKeyID: AWS's, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html,
// or an HMAC key's of Google, https://cloud.google.com/storage/docs/authentication/hmackeys.
func accessKeyID(s string) bool {
	if strings.Contains(s, "EXAMPLE") {
		return false
	}
	switch {
	case strings.HasPrefix(s, "AKIA"), strings.HasPrefix(s, "ASIA"):
		return len(s) == 20 && all(s, func(b byte) bool { return 'A' <= b && b <= 'Z' || '2' <= b && b <= '7' })
	case strings.HasPrefix(s, "GOOG"):
		return (len(s) == 24 || len(s) == 61) && all(s, func(b byte) bool { return 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' })
	}
	return false
}

// temporary is whether an access key's ID is of a credential that ends by itself.
func temporary(id string) bool { return strings.HasPrefix(id, "ASIA") }

// accessKeySecret tells what may be a secret by chance from hashes, words and paths.
func accessKeySecret(s string) bool {
	var upper, lower, digit, slashes int
	hex := true
	for i := range len(s) {
		switch b := s[i]; {
		case 'A' <= b && b <= 'Z':
			upper++
			hex = hex && b <= 'F'
		case 'a' <= b && b <= 'z':
			lower++
			hex = hex && b <= 'f'
		case '0' <= b && b <= '9':
			digit++
		case b == '/' || b == '+':
			slashes++
			hex = false
		default:
			return false
		}
	}
	if hex || upper == 0 || lower == 0 || digit == 0 || slashes > 8 {
		return false
	}
	return !strings.Contains(strings.ToUpper(s), "EXAMPLE") && entropy(s) >= leastEntropy
}

// leastEntropy of a secret, in bits a character: random base64 of 40 characters has 4.7,
// and less than this one time in a million.
const leastEntropy = 4

// entropy is Shannon's, of the frequencies of the text's own bytes.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// withAccessKey is k with what its ID says.
func (k Key) withAccessKey(id string) Key {
	k.ID = id
	if strings.HasPrefix(id, "GOOG") {
		k.Cloud, k.Kind = "gcp", GCPHMACKey
		k.Evidence = append(k.Evidence, "an HMAC key's ID of Cloud Storage")
		return k
	}
	k.Cloud, k.Kind = "aws", AWSAccessKey
	k.Evidence = append(k.Evidence, "an access key's ID, whose prefix says that it does not end")
	if k.Account = account(id); k.Account != "" {
		k.Evidence = append(k.Evidence, "its ID is of account "+k.Account)
	}
	return k
}

// account is that which an access key's ID has in it; empty for those of before 2019,
// which have none.
//
// The ID is a prefix of four letters and 80 bits in base32, of which 40 bits, after the
// first, are the account.
func account(id string) string {
	b, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil {
		return ""
	}
	n := binary.BigEndian.Uint64(b[:8]) >> 16 // the first 48 bits
	if n>>47 == 0 {
		return "" // older IDs do not start with Q or above
	}
	n = n & 0x7fffffffff80 >> 7
	if n == 0 || n > 999_999_999_999 {
		return ""
	}
	return fmt.Sprintf("%012d", n)
}

// pairs joins IDs and secrets that are values of their own: of one group, with names that
// differ in the words for the one and the other alone; else where there is one of each.
func (f *finder) pairs() {
	for i := range f.secrets {
		s := &f.secrets[i]
		if !s.whole() || f.short[s.text] {
			continue
		}
		id := f.partner(s)
		if id == nil {
			continue
		}
		f.join(s.text, id, Key{Parts: []string{s.leaf.part}, IDParts: []string{id.leaf.part}}, "a secret of its shape is kept beside it")
	}
}

// partner is the ID that a secret belongs to; nil: it is not known which.
func (f *finder) partner(s *token) *token {
	var candidates []*token
	for i := range f.ids {
		id := &f.ids[i]
		if !id.whole() || id.leaf.group != s.leaf.group {
			continue
		}
		if stem(id.leaf.names[0]) == stem(s.leaf.names[0]) {
			return id
		}
		if !slices.ContainsFunc(candidates, func(c *token) bool { return c.text == id.text }) {
			candidates = append(candidates, id)
		}
	}
	rival := slices.ContainsFunc(f.secrets, func(other token) bool {
		return other.whole() && other.leaf.group == s.leaf.group && other.text != s.text
	})
	if len(candidates) == 1 && (!rival || strings.Contains(plain(s.leaf.names[0]), "secret")) {
		return candidates[0]
	}
	return nil
}

// whole is whether the token is all that its leaf holds.
func (t *token) whole() bool { return len(strings.TrimSpace(t.leaf.text)) == len(t.text) }

// plain is a name without what spellings differ in.
func plain(name string) string {
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		case strings.IndexByte("_-. /", c) < 0:
			b = append(b, c)
		}
	}
	return string(b)
}

// stem is a name without the words that tell an ID from its secret: "prod_access_key" and
// "prod_secret_key" have the same.
func stem(name string) string {
	p := plain(name)
	for _, word := range []string{"secret", "access", "key", "id"} {
		p = strings.ReplaceAll(p, word, "")
	}
	return p
}

// byName finds what only a name makes a key: a variable that environ's table has, or that
// everybody uses for it.
func (f *finder) byName() {
	for i := range f.secrets {
		s := &f.secrets[i]
		if !s.whole() || f.short[s.text] || f.sessionBeside(s.leaf) {
			continue
		}
		if name := firstOf(s.leaf.names, awsSecretName); name != "" {
			f.add(Key{Cloud: "aws", Kind: AWSAccessKey, Confidence: Likely, Parts: []string{s.leaf.part}, secret: s.text,
				Evidence: []string{"it is kept or read as " + name, "it has the shape of a secret access key"}})
		}
	}
	for _, s := range f.settings {
		f.tableKey(s)
	}
}

// sessionBeside is whether a session token stands beside a leaf, with which its
// credential is temporary.
func (f *finder) sessionBeside(l *leaf) bool {
	return slices.ContainsFunc(f.settings, func(s setting) bool {
		return s.group == l.group && slices.ContainsFunc(s.names, func(n string) bool {
			return strings.Contains(plain(n), "sessiontoken") || strings.Contains(plain(n), "securitytoken")
		})
	})
}

func awsSecretName(name string) bool {
	p := plain(name)
	return strings.Contains(p, "aws") && strings.Contains(p, "secret") || strings.HasSuffix(p, "secretaccesskey")
}

func firstOf(names []string, ok func(string) bool) string {
	i := slices.IndexFunc(names, ok)
	if i < 0 {
		return ""
	}
	return names[i]
}
