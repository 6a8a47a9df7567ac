package issuer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

// contains holds a command's standard output to hold each line.
func contains(t *testing.T, what, out string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(out, l) {
			t.Errorf("%s: no %q in:\n%s", what, l, out)
		}
	}
}

// TestRotate: a rotation of a cluster with two API servers, as a person sees it.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	old, _ := newKey(t, dir, "sa.pub")
	fresh, file := newKey(t, dir, "sa-2026.pub")
	both := slices.Concat(old, fresh)
	a, b := &apiServer{old, old[0].ID}, &apiServer{old, old[0].ID}
	c := startCluster(t, a, b)
	state := filepath.Join(dir, "rotation.json")
	begin := []string{"rotate", "--state", state, "--new-key", file, "--to", c.dir}
	step := func(what string, status int, args []string, lines ...string) {
		t.Helper()
		out, errs, err := c.podpass(t, args...)
		if exit.Status(err) != status {
			t.Fatalf("%s: %v\n%s%s", what, err, out, errs)
		}
		contains(t, what, out+errs, lines...)
	}
	run := []string{"rotate", "--state", state, "--approve"}

	step("publish", 0, []string{"publish", "--to", c.dir, "--approve"}, "written  /openid/v1/jwks", "seen     from outside, and sound")
	step("verify", 0, []string{"verify"}, "sound", "no findings in 1 issuer")

	step("what would be", 0, begin, "phase    1 of 6, publish: ", "would    publish "+fresh[0].ID, "hint: nothing has been changed")
	if _, err := os.Stat(state); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state was written: %v", err)
	}
	step("begin", 0, append(begin, "--approve"), "phase    2 of 6, caches: ", "WI291", "0 of 10 looks", "until    ",
		"  --service-account-key-file=/etc/kubernetes/pki/sa-2026.pub", "  --service-account-signing-key-file=/etc/kubernetes/pki/sa.key")
	dayLater(t, state)
	c.set(func() { a.trusts = both })
	step("one verifies by both", 0, run, "phase    2 of 6, caches: ", "5 of 10 looks", "each API server has to verify by the new key")
	c.set(func() { b.trusts = both })
	step("both do", 0, run, "phase    3 of 6, switch: ", "  --service-account-signing-key-file=/etc/kubernetes/pki/sa-2026.key", "  --service-account-private-key-file=/etc/kubernetes/pki/sa-2026.key")
	c.set(func() { a.signs = fresh[0].ID })
	step("one signs", 0, run, "phase    3 of 6, switch: ", "WI292", "5 of 10 tokens")
	c.set(func() { b.signs = fresh[0].ID })
	step("both sign", 0, run, "phase    4 of 6, tokens: ", "until    ")
	dayLater(t, state)
	c.set(func() { b.signs = old[0].ID })
	step("one fell back", 1, run, "phase    3 of 6, switch: ", "WI293")
	c.set(func() { b.signs = fresh[0].ID })
	step("and came again", 0, run, "phase    4 of 6, tokens: ")
	dayLater(t, state)
	step("the end", 0, run, "phase    6 of 6, done: ", "  --service-account-key-file=/etc/kubernetes/pki/sa-2026.pub\n  --service-account-signing-key-file")
	text, err := os.ReadFile(filepath.Join(c.dir, "openid", "v1", "jwks"))
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := issuer.ParseKeys(text); err != nil || !slices.Equal(keys.IDs(), fresh.IDs()) {
		t.Errorf("published at the end: %v, %v", keys, err)
	}
	c.set(func() { a.trusts, b.trusts = fresh, fresh })
	step("verify at the end", 0, []string{"verify"}, "no findings")
	step("once more", 0, append(run, "-o", "json"), `"phase": "done"`)
}

// dayLater lets a day go by for a rotation.
func dayLater(t *testing.T, file string) {
	t.Helper()
	s, err := rotate.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []*time.Time{&s.Published, &s.Switched} {
		if !at.IsZero() {
			*at = at.Add(-24 * time.Hour)
		}
	}
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
}

// TestRotateWait: with --wait it goes to the end by itself. Its wait is shorter than what
// the issuer's header lets caches do, which is found.
func TestRotateWait(t *testing.T) {
	dir := t.TempDir()
	old, _ := newKey(t, dir, "sa.pub")
	fresh, file := newKey(t, dir, "sa-2026.pub")
	server := &apiServer{slices.Concat(old, fresh), old[0].ID}
	c := startCluster(t, server)
	if out, errs, err := c.podpass(t, "publish", "--to", c.dir, "--approve"); err != nil {
		t.Fatalf("%v %s%s", err, out, errs)
	}
	state := filepath.Join(dir, "rotation.json")
	go func() {
		for {
			if text, err := os.ReadFile(state); err == nil && strings.Contains(string(text), `"phase": "switch"`) {
				c.set(func() { server.signs = fresh[0].ID })
				return
			}
			if t.Context().Err() != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	out, errs, err := c.podpass(t, "rotate", "--state", state, "--new-key", file, "--to", c.dir, "--cache-wait", "1s", "--token-life", "1s", "--approve", "--wait", "--poll", "1s")
	if exit.Status(err) == exit.CouldNotRun {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	contains(t, "all the way", out, "WI297", "6 of 6, done")
}

// TestRotateRefuses: what cannot be a rotation is refused before anything is written.
func TestRotateRefuses(t *testing.T) {
	dir := t.TempDir()
	old, oldFile := newKey(t, dir, "sa.pub")
	_, file := newKey(t, dir, "sa-2026.pub")
	two := filepath.Join(dir, "two.pub")
	if err := errors.Join(concat(two, oldFile, file), os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := startCluster(t, &apiServer{old, old[0].ID})
	state := filepath.Join(dir, "rotation.json")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing to begin with": {[]string{"--state", state}, "there is nothing to begin with"},
		"the key that signs":    {[]string{"--state", state, "--new-key", oldFile, "--to", c.dir}, "WI295: the API servers sign with the new key already"},
		"two keys":              {[]string{"--state", state, "--new-key", two, "--to", c.dir}, "WI295: " + two + " holds 2 keys, want one"},
		"a short key":           {[]string{"--state", state, "--new-key", "../../../../federation/issuer/testdata/rsa-1024.pub", "--to", c.dir}, "the RSA key is too short for the clouds"},
		"a broken state":        {[]string{"--state", filepath.Join(dir, "broken.json")}, "WI294: "},
		"no place":              {[]string{"--state", state, "--new-key", file, "--to", filepath.Join(dir, "none")}, "--to: stat "},
	} {
		out, errs, err := c.podpass(t, append(append([]string{"rotate"}, test.args...), "--approve")...)
		if err == nil || exit.Status(err) != exit.CouldNotRun || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v\n%s%s", name, err, out, errs)
		}
		if _, err := os.Stat(state); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a state was written: %v", name, err)
		}
	}

	// A rotation that has begun is not another one.
	if out, errs, err := c.podpass(t, "rotate", "--state", state, "--new-key", file, "--to", c.dir, "--approve"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	for name, args := range map[string][]string{
		"place": {"--to", dir}, "issuer": {"--issuer", "https://other.example.com"}, "key": {"--new-key", oldFile}, "wait": {"--cache-wait", "1s"},
	} {
		if _, _, err := c.podpass(t, append([]string{"rotate", "--state", state}, args...)...); err == nil || !strings.Contains(err.Error(), "WI294") {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if out, errs, err := c.podpass(t, "rotate", "--state", state, "--new-key", file, "--to", c.dir); err != nil {
		t.Errorf("the same flags again: %v\n%s%s", err, out, errs)
	}
}

func concat(to string, files ...string) error {
	var all []byte
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		all = append(all, content...)
	}
	return os.WriteFile(to, all, 0o600)
}

// TestVerifyFinds: what the cluster signs with is not what is published.
func TestVerifyFinds(t *testing.T) {
	dir := t.TempDir()
	old, _ := newKey(t, dir, "sa.pub")
	fresh, _ := newKey(t, dir, "sa-2026.pub")
	server := &apiServer{old, old[0].ID}
	c := startCluster(t, server)
	if _, _, err := c.podpass(t, "publish", "--to", c.dir, "--approve"); err != nil {
		t.Fatal(err)
	}
	c.set(func() { server.trusts, server.signs = fresh, fresh[0].ID })
	out, _, err := c.podpass(t, "verify", "-o", "json")
	if exit.Status(err) != exit.Findings {
		t.Errorf("%v", err)
	}
	contains(t, "verify", out, `"code": "WI116"`, `"expected": "`+fresh[0].ID+`"`, `"seen": "`+old[0].ID+`"`)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cmd := Command("test")
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"verify", "--kubeconfig", c.kubeconfig})
	if err := cmd.ExecuteContext(ctx); exit.Status(err) != exit.CouldNotRun {
		t.Errorf("interrupted: %v", err)
	}
}
