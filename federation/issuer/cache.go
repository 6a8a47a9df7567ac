package issuer

import (
	"strconv"
	"strings"
	"time"
)

// CacheLife is how long caches may keep the answer (RFC 9111): s-maxage for those that are
// shared, else max-age; said is false where the answer leaves it to them.
func (r Response) CacheLife() (life time.Duration, said bool) {
	for directive := range strings.SplitSeq(strings.ToLower(r.CacheControl), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31) // 2^31: what RFC 9111 lets a cache cap it to
		switch {
		case name == "no-store", name == "no-cache":
			return 0, true
		case name == "s-maxage" && err == nil:
			return time.Duration(seconds) * time.Second, true
		case name == "max-age" && err == nil:
			life, said = time.Duration(seconds)*time.Second, true
		}
	}
	return life, said
}

// CloudCache is how long a cloud may go on with the keys that it has read, whatever the
// issuer's headers say. Microsoft tells validators to keep a key for 24 h and to look for
// new ones each hour (signing key rollover in the Microsoft identity platform), and its own
// errors after a rotation fit that. AWS and Google publish no figure; both are seen to
// fetch again at a kid that they do not know, and neither promises it. So the longest known
// counts for all.
const CloudCache = 24 * time.Hour

// longestCache is what an issuer's headers should ask for at most: with more, a key cannot
// be withdrawn within a day.
const longestCache = 24 * time.Hour
