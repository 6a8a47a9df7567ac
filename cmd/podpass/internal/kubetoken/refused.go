package kubetoken

import (
	"crypto/sha256"
	"fmt"
	"os"
	"time"
)

// client-go runs its plugin again after a 401, and does not tell it why. But a process asks
// for a token for no other reason before the time that it was given with the last one, which
// is when the token is no longer fresh. So one that asks for a token that it has, was refused
// with it. Where that is wrong, as of a process with two clusters that take one audience, a
// token is got too early.

// given begins the name of the file that says who had a token last: one process alone, so
// that of two that were refused one may have to ask twice.
const given = "given-"

// settle is how old a token is at least before it is replaced for having been refused. One
// that was just made would be refused again; and an API server that refuses all, to which a
// controller goes on talking, makes it ask for no more than two tokens a minute.
const settle = 30 * time.Second

// had reports whether the client has the token already, and is back for another one.
func (c *Cache) had(root *os.Root, key string, t Token, now time.Time) bool {
	if c.Client == 0 || now.Sub(t.Issued) < settle {
		return false
	}
	mark, err := root.ReadFile(given + key)
	return err == nil && string(mark) == c.mark(t)
}

// gives remembers that the client gets the token. Where it cannot, a token that is refused
// is kept until it is old.
func (c *Cache) gives(root *os.Root, key string, t Token) {
	if c.Client != 0 {
		_ = root.WriteFile(given+key, []byte(c.mark(t)), 0o600)
	}
}

func (c *Cache) mark(t Token) string {
	return fmt.Sprintf("%d %x", c.Client, sha256.Sum256([]byte(t.Secret.Reveal())))
}
