package kubetoken

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// get asks the cache, and wants a token and no warning.
func get(t *testing.T, c *Cache, key string, f *fetcher) string {
	t.Helper()
	got, warning, err := c.Get(t.Context(), key, f.fetch)
	if warning != nil || err != nil {
		t.Fatalf("warning %v, error %v", warning, err)
	}
	return got.Secret.Reveal()
}

// TestCacheLife: a token is got once, until a fifth of its life is left; then again; and
// what is kept is given while nothing better can be had, but not after its end.
func TestCacheLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := &Cache{dir: filepath.Join(t.TempDir(), "kube")}, &fetcher{life: 10 * time.Minute}
		if got := get(t, c, "a", f); got != "token-1" {
			t.Fatal(got)
		}
		time.Sleep(8*time.Minute - time.Second)
		if got := get(t, c, "a", f); got != "token-1" || f.n != 1 {
			t.Errorf("with more than a fifth left: %s after %d", got, f.n)
		}
		time.Sleep(time.Second)
		if got := get(t, c, "a", f); got != "token-2" {
			t.Errorf("with a fifth left: %s", got)
		}
		f.err = errors.New("away")
		time.Sleep(9 * time.Minute)
		got, warning, err := c.Get(t.Context(), "a", f.fetch)
		if err != nil || got.Secret.Reveal() != "token-2" || warning == nil || !strings.Contains(warning.Error(), "could not be renewed: away") {
			t.Errorf("while nothing else is to be had: %v, %v", warning, err)
		}
		// Who does not answer is not waited for longer than that.
		f.err, f.takes = nil, time.Hour
		began := time.Now()
		if _, warning, err := c.Get(t.Context(), "a", f.fetch); err != nil || warning == nil || time.Since(began) != hurry {
			t.Errorf("while nobody answers: %v, %v after %s", warning, err, time.Since(began))
		}
		f.err, f.takes = errors.New("away"), 0
		// 15 seconds before its end it is not sent any more.
		time.Sleep(45*time.Second - hurry)
		if _, _, err := c.Get(t.Context(), "a", f.fetch); err == nil || err.Error() != "away" {
			t.Errorf("when it ends: %v", err)
		}
	})
}

// TestCacheRefused: a client that comes back for the token that it has was refused with it,
// and gets another one; not a person, another process, one that was renewed, nor at once.
func TestCacheRefused(t *testing.T) {
	type ask struct {
		after  time.Duration
		client int
		want   string
	}
	for name, asks := range map[string][]ask{
		"refused":                   {{0, 7, "token-1"}, {time.Minute, 7, "token-2"}},
		"refused for ever":          {{0, 7, "token-1"}, {time.Minute, 7, "token-2"}, {29 * time.Second, 7, "token-2"}, {time.Second, 7, "token-3"}},
		"at once":                   {{0, 7, "token-1"}, {29 * time.Second, 7, "token-1"}},
		"another process":           {{0, 7, "token-1"}, {time.Minute, 8, "token-1"}, {time.Minute, 8, "token-2"}},
		"a person":                  {{0, 0, "token-1"}, {time.Minute, 0, "token-1"}, {time.Minute, 0, "token-1"}},
		"a person after a client":   {{0, 7, "token-1"}, {time.Minute, 0, "token-1"}},
		"old, and renewed already":  {{0, 7, "token-1"}, {8 * time.Minute, 8, "token-2"}, {time.Minute, 7, "token-2"}},
		"replaced by another's ask": {{0, 7, "token-1"}, {time.Minute, 7, "token-2"}, {time.Minute, 8, "token-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, f := filepath.Join(t.TempDir(), "kube"), &fetcher{life: 10 * time.Minute}
				for n, a := range asks {
					time.Sleep(a.after)
					if got := get(t, &Cache{dir: dir, Client: a.client}, "a", f); got != a.want {
						t.Fatalf("ask %d: %s, want %s", n, got, a.want)
					}
				}
			})
		})
	}
}

// TestCacheRefusedUnrenewed: while no other token is to be had the same is given, with a
// warning.
func TestCacheRefusedUnrenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := &Cache{dir: filepath.Join(t.TempDir(), "kube"), Client: 7}, &fetcher{life: 10 * time.Minute}
		get(t, c, "a", f)
		time.Sleep(time.Minute)
		f.err = errors.New("away")
		got, warning, err := c.Get(t.Context(), "a", f.fetch)
		if err != nil || got.Secret.Reveal() != "token-1" || warning == nil || !strings.Contains(warning.Error(), "could not be renewed: away") {
			t.Errorf("%v, %v", warning, err)
		}
	})
}

// TestCacheClock: a clock that is set back does not make an old token new.
func TestCacheClock(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		issued, expiry time.Duration
		want           bool
	}{
		"new":              {0, time.Hour, true},
		"old":              {-50 * time.Minute, 10 * time.Minute, false},
		"ended":            {-2 * time.Hour, -time.Hour, false},
		"of a fast clock":  {30 * time.Second, time.Hour, true},
		"of the future":    {2 * time.Hour, 3 * time.Hour, false},
		"without a length": {0, 0, false},
	} {
		if got := (Token{Issued: now.Add(test.issued), Expiry: now.Add(test.expiry)}).fresh(now); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestCacheKeys: other inputs, another token; and no name of a file tells what they were.
func TestCacheKeys(t *testing.T) {
	c, f := &Cache{dir: filepath.Join(t.TempDir(), "podpass", "kube")}, &fetcher{life: time.Hour}
	if a, b, again := get(t, c, "secret-a", f), get(t, c, "secret-b", f), get(t, c, "secret-a", f); a != "token-1" || b != "token-2" || again != "token-1" {
		t.Errorf("%s, %s, %s", a, b, again)
	}
	files, err := os.ReadDir(c.dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 || strings.Contains(file.Name(), "secret") {
			t.Errorf("%s: mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(c.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
}

// TestCacheTampered: a file that others may have written, or that is broken, is no token.
func TestCacheTampered(t *testing.T) {
	for name, tamper := range map[string]func(file string) error{
		"open to others": func(file string) error { return os.Chmod(file, 0o644) },
		"cut off":        func(file string) error { return os.Truncate(file, 20) },
		"another key's": func(file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, []byte(strings.Replace(string(b), `"key":"`, `"key":"0`, 1)), 0o600)
		},
		"a link to elsewhere": func(file string) error {
			outside := filepath.Join(filepath.Dir(filepath.Dir(file)), "outside")
			return errors.Join(os.Rename(file, outside), os.Symlink(outside, file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, f := &Cache{dir: filepath.Join(t.TempDir(), "kube")}, &fetcher{life: time.Hour}
			get(t, c, "a", f)
			files, err := filepath.Glob(filepath.Join(c.dir, "*.json"))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %v", files, err)
			}
			if err := tamper(files[0]); err != nil {
				t.Fatal(err)
			}
			if got := get(t, c, "a", f); got != "token-2" {
				t.Errorf("it was taken: %s", got)
			}
			if got := get(t, c, "a", f); got != "token-2" {
				t.Errorf("it was not replaced: %s", got)
			}
		})
	}
}

// TestCacheDirectory: nothing is kept where others can read, or nothing can be written; the
// token is got all the same.
func TestCacheDirectory(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(dir string) error
		want    string
	}{
		"open to others": {func(dir string) error { return errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o755)) }, "is open to others than its owner"},
		"a file":         {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
		"a link":         {func(dir string) error { return os.Symlink(os.TempDir(), dir) }, "is no directory"},
	} {
		t.Run(name, func(t *testing.T) {
			c, f := &Cache{dir: filepath.Join(t.TempDir(), "kube")}, &fetcher{life: time.Hour}
			if err := test.prepare(c.dir); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				got, warning, err := c.Get(t.Context(), "a", f.fetch)
				if err != nil || got.Secret == "" || warning == nil || !strings.Contains(warning.Error(), test.want) || f.n != i+1 {
					t.Errorf("warning %v, error %v, %d asked", warning, err, f.n)
				}
			}
		})
	}
}

// TestCacheTogether: of several that need a token at once one gets it.
func TestCacheTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, f := filepath.Join(t.TempDir(), "kube"), &fetcher{life: time.Hour, takes: 3 * time.Second}
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				// Each has its own, as a process has.
				if got := get(t, &Cache{dir: dir}, "a", f); got != "token-1" {
					t.Errorf("got %s", got)
				}
			})
		}
		all.Wait()
		if f.n != 1 {
			t.Errorf("asked %d times", f.n)
		}
	})
}

// TestCacheSweep: what has ended does not stay on a machine that runs many jobs.
func TestCacheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := &Cache{dir: filepath.Join(t.TempDir(), "kube")}, &fetcher{life: time.Minute}
		for _, job := range []string{"1", "2", "3"} {
			get(t, c, job, f)
		}
		time.Sleep(time.Minute)
		get(t, c, "4", f)
		files, err := filepath.Glob(filepath.Join(c.dir, "*.json"))
		if err != nil || len(files) != 1 {
			t.Errorf("%v, %v", files, err)
		}
	})
}
