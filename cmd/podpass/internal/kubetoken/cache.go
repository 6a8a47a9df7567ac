package kubetoken

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Cache keeps tokens in files of one directory that nobody but its owner can read. Several
// processes may use it at once: who needs a token that another is getting waits for it.
type Cache struct {
	// Client is the process that asks as client-go does, by an exec plugin; 0: a person.
	Client int
	dir    string
}

const (
	// maxEntry bounds what is read of a file; a token has at most 32 KiB.
	maxEntry = 64 << 10
	// patience with another process that gets the same token; then it is got twice.
	patience = 15 * time.Second
	// hurry is how long a renewal may take while there is a token that is still good.
	hurry = 5 * time.Second
	// skew is by how much an entry may have been written in the future, before the clock
	// was set back.
	skew = time.Minute
)

// NewCache is the cache of the user, below the user's cache directory.
func NewCache() (*Cache, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("where to keep tokens: %w", err)
	}
	return &Cache{dir: filepath.Join(dir, "podpass", "kube")}, nil
}

// entry is a file's content.
type entry struct {
	// Key is the digest of all that the token depends on, and the name of the file.
	Key    string    `json:"key"`
	Issued time.Time `json:"issued"`
	Expiry time.Time `json:"expiry"`
	// Token as it is: a federation.Secret would be written redacted.
	Token string `json:"token"`
}

// Get gives the token of a key: of the cache, or by fetch. A key names every input that
// changes the token, and may have secrets in it, which are not written. While the kept
// token is good it is given where fetch fails, with a warning that says why; a cache that
// cannot be used is a warning, too.
func (c *Cache) Get(ctx context.Context, key string, fetch func(context.Context) (Token, error)) (t Token, warning, err error) {
	key = fmt.Sprintf("%x", sha256.Sum256([]byte(key)))
	root, err := c.open()
	if err != nil {
		t, err2 := fetch(ctx)
		return t, fmt.Errorf("tokens are not kept: %w", err), err2
	}
	defer func() { _ = root.Close() }() // a directory, of which nothing was kept open
	kept, ok := read(root, key)
	refused := ok && c.had(root, key, kept, time.Now())
	if ok && kept.fresh(time.Now()) && !refused {
		c.gives(root, key, kept)
		return kept, nil, nil
	}
	before := kept.Issued
	unlock, err := lock(ctx, root, "lock-"+key)
	if err == nil {
		defer unlock()
		// Meanwhile another one may have got it.
		if kept, ok = read(root, key); ok && kept.fresh(time.Now()) && (!refused || !kept.Issued.Equal(before)) {
			c.gives(root, key, kept)
			return kept, nil, nil
		}
	}
	if t, warning, err = renew(ctx, root, key, kept, fetch); err == nil {
		c.gives(root, key, t)
	}
	return t, warning, err
}

// renew gets a token and keeps it; or gives what was kept, the zero Token for none, where it
// cannot and that is good still.
func renew(ctx context.Context, root *os.Root, key string, kept Token, fetch func(context.Context) (Token, error)) (t Token, warning, err error) {
	now := time.Now()
	good := kept.Until().After(now)
	if good {
		limited, cancel := context.WithTimeout(ctx, hurry)
		defer cancel()
		ctx = limited
	}
	t, err = fetch(ctx)
	switch {
	case err != nil && good:
		return kept, fmt.Errorf("the token is good until %s, and could not be renewed: %w", federation.Timestamp(kept.Until()), err), nil
	case err != nil:
		return Token{}, nil, err
	}
	if err := write(root, key, t); err != nil {
		return t, fmt.Errorf("the token is not kept: %w", err), nil
	}
	sweep(root, now)
	return t, nil, nil
}

// fresh reports that a token need not be renewed.
func (t Token) fresh(now time.Time) bool {
	return t.renewal().After(now) && t.Issued.Before(now.Add(skew))
}

// open makes the directory if need be, and refuses one that others could read or change.
// Nothing outside of it is reached by what it gives, whatever links are in it.
func (c *Cache) open() (*os.Root, error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	if link, err := os.Lstat(c.dir); err != nil {
		return nil, err
	} else if !link.IsDir() {
		return nil, fmt.Errorf("%s is no directory", c.dir)
	}
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, err
	}
	// Of what was opened: the name may lead elsewhere by now.
	info, err := root.Stat(".")
	if err == nil {
		err = private(info)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %w", c.dir, err), root.Close())
	}
	return root, nil
}

// read gives the token of a file, if it can be one that was written here.
func read(root *os.Root, key string) (Token, bool) {
	f, err := root.Open(key + ".json")
	if err != nil {
		return Token{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || private(info) != nil {
		return Token{}, false
	}
	b, err := io.ReadAll(io.LimitReader(f, maxEntry))
	var e entry
	if err != nil || json.Unmarshal(b, &e) != nil || e.Key != key || e.Token == "" {
		return Token{}, false
	}
	t := Token{Secret: federation.Secret(e.Token), Issued: e.Issued, Expiry: e.Expiry}
	if parsed, err := federation.ParseSubjectToken([]byte(e.Token)); err == nil {
		t.Claims = &parsed.Claims
	}
	return t, true
}

// write writes the token whole or not at all.
func write(root *os.Root, key string, t Token) error {
	b, err := json.Marshal(entry{key, t.Issued.Round(0), t.Expiry.Round(0), t.Secret.Reveal()})
	if err != nil {
		return err
	}
	temporary := "new-" + rand.Text()
	f, err := root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temporary, key+".json")
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

// sweep removes tokens that have ended, and what a process left that was killed: the
// cache of a CI runner would grow by a file a job. What cannot be removed now is next time.
func sweep(root *os.Root, now time.Time) {
	files, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue
		}
		key, isToken := strings.CutSuffix(f.Name(), ".json")
		t, ok := read(root, key)
		if isToken && ok && !t.Expiry.After(now) {
			// With it goes its lock. Who is just waiting for that gets a token twice, no more.
			_ = root.Remove(f.Name())
			_ = root.Remove("lock-" + key)
			_ = root.Remove(given + key)
		} else if !ok && now.Sub(info.ModTime()) > time.Hour {
			if lock, isLock := strings.CutPrefix(f.Name(), "lock-"); isLock {
				if _, used := read(root, lock); used {
					continue
				}
			}
			_ = root.Remove(f.Name())
		}
	}
}
