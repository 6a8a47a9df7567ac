package statickeys

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Alphabets of random texts.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
	// base32Digits is RFC 4648's alphabet, which the IDs of AWS' and Google's keys use.
	base32Digits = upper + "234567"
	// urlSafe is that of base64url, and of what is used as it is within a URL.
	urlSafe = upper + lower + digits + "-_"
)

// text is n random characters of the alphabet.
func text(n int, alphabet string) string {
	b := make([]byte, n)
	for i, v := range random(n) {
		b[i] = alphabet[int(v)%len(alphabet)]
	}
	return string(b)
}

// random is n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}

// mixed64 is the base64 of n random bytes, with every class of characters in it, as nearly
// all have: a recogniser may ask for them.
func mixed64(n int) string {
	for {
		s := base64.StdEncoding.EncodeToString(random(n))
		if strings.ContainsAny(s, upper) && strings.ContainsAny(s, lower) && strings.ContainsAny(s, digits) && strings.ContainsAny(s, "+/") {
			return s
		}
	}
}

func hexText(n int) string { return hex.EncodeToString(random(n)) }

// uuid is a random one, version 4 of RFC 9562.
func uuid() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// must is for what cannot fail of the values made here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
