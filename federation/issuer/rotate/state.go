package rotate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/podpass-io/podpass/federation/issuer"
)

// Phase is where a rotation stands.
type Phase string

// The phases, in their order.
const (
	Publish Phase = "publish"
	Caches  Phase = "caches"
	Switch  Phase = "switch"
	Tokens  Phase = "tokens"
	Drop    Phase = "drop"
	Done    Phase = "done"
)

// Phases are all of them, in order.
var Phases = []Phase{Publish, Caches, Switch, Tokens, Drop, Done}

// State is a rotation. It holds public keys alone.
type State struct {
	// Format of the file; [format].
	Format   int    `json:"format"`
	Issuer   string `json:"issuer"`
	JWKSPath string `json:"jwksPath"`
	// Place is the name by which [publish.Open] finds where the keys are published.
	Place string `json:"place"`
	// Old are the keys that go, New the one that comes.
	Old Set `json:"old"`
	New Set `json:"new"`
	// Phase is where it stands, and the times are when that was first seen; a time that is
	// zero has not come.
	Phase     Phase     `json:"phase"`
	Published time.Time `json:"published,omitzero"`
	Switched  time.Time `json:"switched,omitzero"`
	// CacheWait is how long verifiers may go on with the keys that they have, from
	// Published; TokenWait how long a token lives at most, from Switched.
	CacheWait Duration `json:"cacheWait"`
	TokenWait Duration `json:"tokenWait"`
	// Files are where the control plane has the keys.
	Files Files `json:"files"`
	// Private: whoever verifies is on a private network.
	Private bool `json:"private,omitempty"`
}

// format changes when an older podpass could not go on with a newer one's file.
const format = 1

// TokenLife is the longest life of a token that podpass asks for (the bound of
// podpass.io/token-expiration), and the age beyond which Google takes none. An API server
// that lets others ask for more has it bounded by --service-account-max-token-expiration.
const TokenLife = 24 * time.Hour

// New begins a rotation from the keys that sign now to another, with podpass's own waits.
func New(issuerURL, place string, old, fresh issuer.Keys) (State, error) {
	s := State{
		Format: format, Issuer: issuerURL, JWKSPath: issuer.DefaultJWKSPath, Place: place,
		Old: Set{old}, New: Set{fresh}, Phase: Publish,
		CacheWait: Duration(issuer.CloudCache), TokenWait: Duration(TokenLife),
	}
	return s, s.check()
}

func (s State) check() error {
	switch {
	case s.Format != format:
		return fmt.Errorf("of format %d, want %d", s.Format, format)
	case len(s.New.Keys) != 1:
		return fmt.Errorf("%d new keys, want one", len(s.New.Keys))
	case len(s.Old.Keys) == 0:
		return errors.New("no old key")
	case s.CacheWait < 0 || s.TokenWait < 0:
		return errors.New("a wait of less than nothing")
	}
	if err := issuer.CheckURL(s.Issuer); err != nil {
		return fmt.Errorf("issuer %q: %w", s.Issuer, err)
	}
	if s.Phase.number() < 0 {
		return fmt.Errorf("unknown phase %q", s.Phase)
	}
	for _, k := range s.Old.Keys {
		if k.Same(s.New.Keys[0]) {
			return errors.New("the new key is the old one")
		}
		if k.ID == s.New.Keys[0].ID {
			return &issuer.ConflictError{KeyID: k.ID}
		}
	}
	return nil
}

// Load reads a state from a file. os.ErrNotExist: there is none.
func Load(path string) (State, error) {
	f, err := os.Open(path)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 2*issuer.MaxSize))
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(raw, &s); err != nil {
		return State{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return State{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Save writes the state, whole or not at all, and readable by its owner alone.
func (s State) Save(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".podpass-rotate-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(raw, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// Set is keys that are written as a JWKS.
type Set struct{ issuer.Keys }

// MarshalJSON implements json.Marshaler.
func (s Set) MarshalJSON() ([]byte, error) { return s.JWKS() }

// UnmarshalJSON implements json.Unmarshaler; a private key is refused.
func (s *Set) UnmarshalJSON(raw []byte) (err error) {
	s.Keys, err = issuer.ParseKeys(raw)
	return err
}

// Duration is written as Go writes it: "24h0m0s".
type Duration time.Duration

// String implements fmt.Stringer.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
