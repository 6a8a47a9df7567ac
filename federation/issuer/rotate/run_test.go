package rotate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

// cluster is a world of one API server and a place that is read as it is written. It holds
// the rotation to its promise: no token that lives is without its key in what a verifier
// has, whose cache is as old as it may be.
type cluster struct {
	t       *testing.T
	place   publish.Place
	now     time.Time
	trusted issuer.Keys
	signer  string
	minted  map[string]time.Time // the last token by kid
	history []published
	cache   time.Duration
	life    time.Duration
}

type published struct {
	at   time.Time
	keys issuer.Keys
}

func (c *cluster) Look(ctx context.Context) (rotate.Look, error) {
	c.mint()
	p := issuer.Published{Issuer: url, Document: issuer.Document{Issuer: url}}
	o, version, err := c.place.Get(ctx, issuer.DefaultJWKSPath)
	if err != nil {
		return rotate.Look{}, err
	}
	if version == "" {
		p.Discovery.Err = &issuer.StatusError{Status: 404}
	} else if p.Keys, err = issuer.ParseKeys(o.Body); err != nil {
		return rotate.Look{}, err
	}
	c.verify(p.Keys)
	return rotate.Look{Now: c.now, Published: p, Servers: []issuer.Keys{c.trusted}, Tokens: []federation.Claims{{KeyID: c.signer}}}, nil
}

func (c *cluster) mint() { c.minted[c.signer] = c.now }

// verify takes each token that lives to a verifier with the oldest keys that it may have,
// and to one with the newest.
func (c *cluster) verify(keys issuer.Keys) {
	c.history = append(c.history, published{c.now, keys})
	oldest := keys
	for i, h := range c.history {
		// The set that was valid at now-cache is the last one from before.
		if !h.at.After(c.now.Add(-c.cache)) || i == 0 {
			oldest = h.keys
		}
	}
	for kid, at := range c.minted {
		if c.now.Sub(at) >= c.life {
			continue
		}
		for what, set := range map[string]issuer.Keys{"the newest keys": keys, "the oldest keys": oldest} {
			if _, ok := set.Find(kid); !ok {
				c.t.Errorf("%s: a token of %s, minted at %s, fails at a verifier with %s", c.now, kid, at, what)
			}
		}
	}
}

// operate does what the flags say, as whoever runs the API server does.
func (c *cluster) operate(s rotate.State) {
	keys := slices.Concat(s.Old.Keys, s.New.Keys)
	flags := strings.Join(s.ServerFlags(), " ")
	c.trusted = nil
	for i, file := range []string{s.Files.OldPublic, s.Files.NewPublic} {
		if strings.Contains(flags, "--service-account-key-file="+file) {
			c.trusted = append(c.trusted, keys[i])
		}
	}
	c.signer = keys[0].ID
	if strings.Contains(flags, "--service-account-signing-key-file="+s.Files.NewPrivate) {
		c.signer = keys[1].ID
	}
}

func start(t *testing.T) (*cluster, publish.Place, rotate.State, string) {
	t.Helper()
	dir := t.TempDir()
	place, err := publish.Open(dir, nil, publish.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	s := state(t, rotate.Publish)
	s.Files = rotate.FilesIn("/etc/kubernetes/pki", "sa", "sa-2026")
	p, err := publish.Prepare(t.Context(), place, publish.Wanted{Issuer: url, JWKSPath: issuer.DefaultJWKSPath, Keys: s.Old.Keys})
	if err == nil {
		err = p.Apply(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		t: t, place: place, now: begin, trusted: s.Old.Keys, signer: s.Old.Keys[0].ID, minted: map[string]time.Time{},
		cache: time.Duration(s.CacheWait), life: time.Duration(s.TokenWait),
	}
	return c, place, s, filepath.Join(t.TempDir(), "rotation.json")
}

// TestRun: a whole rotation, looked at around each moment that counts, with tokens and
// verifiers all the while.
func TestRun(t *testing.T) {
	c, place, s, path := start(t)
	phases := rotateAll(t, c, func() (rotate.Decision, error) {
		return rotate.Runner{Path: path, World: c, Place: place, Approved: true}.Run(t.Context(), load(t, path, s))
	})
	if !slices.Equal(phases, []rotate.Phase{rotate.Caches, rotate.Switch, rotate.Tokens, rotate.Done}) {
		t.Errorf("phases: %v", phases)
	}
	if want := begin.Add(27 * time.Hour); c.now.Before(begin.Add(26*time.Hour)) || c.now.After(want) {
		t.Errorf("it took until %s", c.now)
	}
}

// rotateAll runs until it is done, and gives the phases that were seen.
func rotateAll(t *testing.T, c *cluster, run func() (rotate.Decision, error)) (phases []rotate.Phase) {
	t.Helper()
	for range 1000 {
		d, err := run()
		if err != nil {
			t.Fatal(err)
		}
		if len(phases) == 0 || phases[len(phases)-1] != d.State.Phase {
			phases = append(phases, d.State.Phase)
		}
		if d.State.Phase == rotate.Done {
			return phases
		}
		c.operate(d.State)
		c.now = c.now.Add(10 * time.Minute)
		if late := d.Until.Add(-time.Minute); c.now.Before(late) {
			c.now = late // nothing happens before
		}
	}
	t.Fatal("no end")
	return nil
}

func load(t *testing.T, path string, first rotate.State) rotate.State {
	t.Helper()
	s, err := rotate.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return first
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mortal is a place and a world that end the process at the nth call.
type mortal struct {
	*cluster
	publish.Place
	left *int
	late bool // after the call has had its effect
}

var errKilled = errors.New("killed")

func (m mortal) dies() bool { *m.left--; return *m.left == 0 }

func (m mortal) Look(ctx context.Context) (rotate.Look, error) {
	l, err := m.cluster.Look(ctx)
	if m.dies() {
		return l, errKilled
	}
	return l, err
}

func (m mortal) Put(ctx context.Context, o publish.Object, had publish.Version) error {
	if m.dies() {
		if m.late {
			return errors.Join(m.Place.Put(ctx, o, had), errKilled)
		}
		return errKilled
	}
	return m.Place.Put(ctx, o, had)
}

// TestRunKilled: ended at each call that it makes, and begun again, it does the same, and
// no token fails.
func TestRunKilled(t *testing.T) {
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			c, place, s, path := start(t)
			left := n
			m := mortal{c, place, &left, late}
			phases := rotateAll(t, c, func() (rotate.Decision, error) {
				for {
					d, err := rotate.Runner{Path: path, World: m, Place: m, Approved: true}.Run(t.Context(), load(t, path, s))
					if !errors.Is(err, errKilled) {
						return d, err
					}
					c.now = c.now.Add(time.Minute)
				}
			})
			if phases[len(phases)-1] != rotate.Done {
				t.Errorf("killed at call %d: %v", n, phases)
			}
			if left > 0 {
				break // it ended before the nth call
			}
			if n > 200 {
				t.Fatal("no end")
			}
		}
	}
}

// TestRunUnapproved: without approval nothing is written, and what would be is told.
func TestRunUnapproved(t *testing.T) {
	c, place, s, path := start(t)
	d, err := rotate.Runner{Path: path, World: c, Place: place}.Run(t.Context(), s)
	if err != nil || d.Action != rotate.Add || d.State.Phase != rotate.Publish {
		t.Errorf("%+v, %v", d, err)
	}
	plan, err := rotate.Plan(t.Context(), place, d.State, d.Action)
	if err != nil || !slices.Equal(plan.Added, []string{s.New.Keys[0].ID}) || plan.Dropped != nil {
		t.Errorf("%+v, %v", plan, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state was saved: %v", err)
	}
	o, _, err := place.Get(t.Context(), issuer.DefaultJWKSPath)
	if err != nil || strings.Contains(string(o.Body), s.New.Keys[0].ID) {
		t.Errorf("the new key is published: %v", err)
	}
}

// TestRunMends: a key that somebody else overwrote is published again at once, it is told,
// and the wait starts anew.
func TestRunMends(t *testing.T) {
	c, place, s, path := start(t)
	r := rotate.Runner{Path: path, World: c, Place: place, Approved: true}
	if _, err := r.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	p, err := publish.Prepare(t.Context(), place, publish.Wanted{Issuer: url, JWKSPath: issuer.DefaultJWKSPath, Keys: s.Old.Keys, Replace: true})
	if err == nil {
		err = p.Apply(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	c.now = begin.Add(time.Hour)
	d, err := r.Run(t.Context(), load(t, path, s))
	if err != nil || d.State.Phase != rotate.Caches || !d.State.Published.Equal(c.now) || !d.Until.Equal(c.now.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", d, err)
	}
	if len(d.Findings) == 0 || d.Findings[0].Code != rotate.CodeGone {
		t.Errorf("%+v", d.Findings)
	}
}
