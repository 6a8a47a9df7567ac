package rotate_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

const url = "https://issuer.example.com"

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func key(t testing.TB, file string) issuer.Keys {
	t.Helper()
	content, err := os.ReadFile("../testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := issuer.ParsePublicKeys(content)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// look is a world that a test describes by letters: o the old key, n the new one, x a foreign one.
func look(t testing.TB, after time.Duration, published, servers, tokens string) rotate.Look {
	t.Helper()
	named := map[rune]issuer.Keys{'o': key(t, "rsa.pub"), 'n': key(t, "ec.pub"), 'x': key(t, "ec-384.pub")}
	l := rotate.Look{Now: begin.Add(after)}
	l.Published = issuer.Published{
		Issuer: url, Document: issuer.Document{Issuer: url, JWKSURI: url + issuer.DefaultJWKSPath},
		JWKS: issuer.Response{URL: url + issuer.DefaultJWKSPath, CacheControl: issuer.CacheControl},
	}
	if published == "" {
		l.Published.Discovery.Err = &issuer.StatusError{Status: 404}
	}
	for _, c := range published {
		l.Published.Keys = append(l.Published.Keys, named[c]...)
	}
	for set := range strings.FieldsSeq(servers) {
		var keys issuer.Keys
		for _, c := range set {
			keys = append(keys, named[c]...)
		}
		l.Servers = append(l.Servers, keys)
	}
	for _, c := range tokens {
		l.Tokens = append(l.Tokens, federation.Claims{KeyID: named[c][0].ID, Issuer: url})
	}
	return l
}

func state(t testing.TB, phase rotate.Phase) rotate.State {
	t.Helper()
	s, err := rotate.New(url, "/srv/issuer", key(t, "rsa.pub"), key(t, "ec.pub"))
	if err != nil {
		t.Fatal(err)
	}
	s.Phase = phase
	s.CacheWait, s.TokenWait = rotate.Duration(2*time.Hour), rotate.Duration(24*time.Hour)
	switch phase {
	case rotate.Publish:
	case rotate.Caches, rotate.Switch:
		s.Published = begin
	case rotate.Tokens, rotate.Drop, rotate.Done:
		s.Published, s.Switched = begin.Add(-3*time.Hour), begin
	}
	return s
}

// TestDecide: what each phase makes of each world. Times are from the phase's own begin.
func TestDecide(t *testing.T) {
	const hour = time.Hour
	for name, test := range map[string]struct {
		phase                      rotate.Phase
		after                      time.Duration
		published, servers, tokens string
		want                       string // phase, action, how long the wait ends from begin, findings
	}{
		"nothing published":                    {rotate.Publish, 0, "", "o", "o", "publish add - WI111"},
		"old published":                        {rotate.Publish, 0, "o", "o", "o", "publish add -"},
		"only the new one":                     {rotate.Publish, 0, "n", "o", "o", "publish add -"},
		"both":                                 {rotate.Publish, 0, "on", "o", "o", "caches  -"},
		"both, and another cluster's":          {rotate.Publish, 0, "xno", "o", "o", "caches  -"},
		"switched before it was published":     {rotate.Publish, 0, "o", "on", "n", "publish add - WI296"},
		"caches: just begun":                   {rotate.Caches, 0, "on", "o", "o", "caches  2h0m0s WI291"},
		"caches: a moment before":              {rotate.Caches, 2*hour - 1, "on", "on", "o", "caches  2h0m0s"},
		"caches: over":                         {rotate.Caches, 2 * hour, "on", "on", "o", "switch  -"},
		"caches: over, one server of two":      {rotate.Caches, 2 * hour, "on", "on o on", "ooo", "caches  - WI291"},
		"caches: over, servers unknown":        {rotate.Caches, 2 * hour, "on", "", "o", "caches  -"},
		"caches: a clock that went back":       {rotate.Caches, -hour, "on", "on", "o", "caches  2h0m0s"},
		"caches: switched too early":           {rotate.Caches, hour, "on", "on on", "on", "caches  2h0m0s WI296"},
		"caches: the new key is gone":          {rotate.Caches, 3 * hour, "o", "on", "o", "publish  - WI290"},
		"caches: the old key is gone":          {rotate.Caches, 3 * hour, "n", "on", "o", "publish  - WI290"},
		"caches: unreadable from here":         {rotate.Caches, 3 * hour, "", "on", "o", "caches  - WI111"},
		"switch: not yet":                      {rotate.Switch, 9 * hour, "on", "on", "o", "switch  -"},
		"switch: one of two":                   {rotate.Switch, 9 * hour, "on", "on on", "on", "switch  - WI292"},
		"switch: all":                          {rotate.Switch, 9 * hour, "on", "on on", "nn", "tokens  -"},
		"switch: no token seen":                {rotate.Switch, 9 * hour, "on", "on", "", "switch  -"},
		"switch: a third key":                  {rotate.Switch, 9 * hour, "onx", "on", "nx", "switch  - WI292"},
		"tokens: a moment before":              {rotate.Tokens, 24*hour - 1, "on", "on", "n", "tokens  24h0m0s"},
		"tokens: over":                         {rotate.Tokens, 24 * hour, "on", "on", "n", "drop  -"},
		"tokens: one signs with the old again": {rotate.Tokens, 24 * hour, "on", "on", "no", "switch  - WI293"},
		"tokens: the old key is gone":          {rotate.Tokens, 20 * hour, "n", "on", "n", "publish  - WI290"},
		"drop":                                 {rotate.Drop, 25 * hour, "on", "on", "n", "drop remove -"},
		"drop: seen":                           {rotate.Drop, 25 * hour, "n", "on", "n", "done  -"},
		"drop: seen, another cluster's stays":  {rotate.Drop, 25 * hour, "nx", "on", "n", "done  -"},
		"drop: one signs with the old again":   {rotate.Drop, 25 * hour, "n", "on", "no", "switch  - WI293"},
		"drop: all is gone":                    {rotate.Drop, 25 * hour, "x", "on", "n", "drop  - WI290"},
		"done: whatever comes":                 {rotate.Done, 0, "x", "x", "x", "done  -"},
	} {
		d := rotate.Decide(state(t, test.phase), look(t, test.after, test.published, test.servers, test.tokens))
		until := "-"
		if !d.Until.IsZero() {
			until = d.Until.Sub(begin).String()
		}
		got := fmt.Sprintf("%s %s %s", string(d.State.Phase), d.Action, until)
		for _, f := range d.Findings {
			got += " " + f.Code
			if f.Message == "" || f.Fix == "" {
				t.Errorf("%s: says too little: %+v", name, f)
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestDecideClocks: a clock starts at what was seen, and again after a way back.
func TestDecideClocks(t *testing.T) {
	for name, test := range map[string]struct {
		phase               rotate.Phase
		published, tokens   string
		wantPub, wantSwitch time.Duration // -1: none
	}{
		"published":     {rotate.Publish, "on", "o", 5 * time.Hour, -1},
		"switched":      {rotate.Switch, "on", "n", 0, 5 * time.Hour},
		"gone":          {rotate.Tokens, "o", "n", -1, -1},
		"switched back": {rotate.Tokens, "on", "o", -3 * time.Hour, -1},
	} {
		d := rotate.Decide(state(t, test.phase), look(t, 5*time.Hour, test.published, "on", test.tokens))
		for what, pair := range map[string]struct {
			got  time.Time
			want time.Duration
		}{"Published": {d.State.Published, test.wantPub}, "Switched": {d.State.Switched, test.wantSwitch}} {
			want := begin.Add(pair.want)
			if pair.want == -1 {
				want = time.Time{}
			}
			if !pair.got.Equal(want) {
				t.Errorf("%s: %s is %s, want %s", name, what, pair.got, want)
			}
		}
	}
}

// TestCacheWait: a wait that is shorter than what the issuer itself tells caches is told.
func TestCacheWait(t *testing.T) {
	s := state(t, rotate.Caches)
	s.CacheWait = rotate.Duration(time.Minute)
	d := rotate.Decide(s, look(t, 0, "on", "on", "o"))
	if len(d.Findings) != 1 || d.Findings[0].Code != rotate.CodeShort || d.Findings[0].Expected != "1h0m0s" {
		t.Errorf("%+v", d.Findings)
	}
}

func TestNewRefuses(t *testing.T) {
	rsa, ec := key(t, "rsa.pub"), key(t, "ec.pub")
	impostor := key(t, "ec.pub")
	impostor[0].ID = rsa[0].ID
	for name, test := range map[string]struct {
		url      string
		old, new issuer.Keys
	}{
		"no new key":   {url, rsa, nil},
		"two new keys": {url, rsa, append(key(t, "ec.pub"), key(t, "ec-384.pub")...)},
		"no old key":   {url, nil, ec},
		"the same key": {url, rsa, rsa},
		"the same kid": {url, rsa, impostor},
		"no https":     {"http://issuer.example.com", rsa, ec},
	} {
		if _, err := rotate.New(test.url, "/srv", test.old, test.new); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestFlags: what the API server is started with in each phase, written by hand.
func TestFlags(t *testing.T) {
	const base = "--service-account-issuer=https://issuer.example.com --service-account-jwks-uri=https://issuer.example.com/openid/v1/jwks "
	const both = "--service-account-key-file=/etc/kubernetes/pki/sa.pub --service-account-key-file=/etc/kubernetes/pki/sa-2026.pub "
	for phase, want := range map[rotate.Phase][2]string{
		rotate.Publish: {base + both + "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key", "sa.key"},
		rotate.Caches:  {base + both + "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key", "sa.key"},
		rotate.Switch:  {base + both + "--service-account-signing-key-file=/etc/kubernetes/pki/sa-2026.key", "sa-2026.key"},
		rotate.Tokens:  {base + both + "--service-account-signing-key-file=/etc/kubernetes/pki/sa-2026.key", "sa-2026.key"},
		rotate.Drop:    {base + both + "--service-account-signing-key-file=/etc/kubernetes/pki/sa-2026.key", "sa-2026.key"},
		rotate.Done: {base + "--service-account-key-file=/etc/kubernetes/pki/sa-2026.pub " +
			"--service-account-signing-key-file=/etc/kubernetes/pki/sa-2026.key", "sa-2026.key"},
	} {
		s := state(t, phase)
		s.Files = rotate.FilesIn("/etc/kubernetes/pki", "sa", "sa-2026")
		if diff := cmp.Diff(want[0], strings.Join(s.ServerFlags(), " ")); diff != "" {
			t.Errorf("%s: %s", string(phase), diff)
		}
		if got := s.ManagerFlags(); len(got) != 1 || got[0] != "--service-account-private-key-file=/etc/kubernetes/pki/"+want[1] {
			t.Errorf("%s: controller manager: %v", string(phase), got)
		}
		if phase.Why() == "" {
			t.Errorf("%s: no reason", string(phase))
		}
	}
}

// TestState: a state is read back as it was written, by its owner alone.
func TestState(t *testing.T) {
	path := t.TempDir() + "/rotation.json"
	if _, err := rotate.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	s := state(t, rotate.Tokens)
	s.Files = rotate.FilesIn("/etc/kubernetes/pki", "sa", "sa-2026")
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := rotate.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"not JSON":       {"{", "["},
		"a later format": {`"format": 1`, `"format": 2`},
		"unknown phase":  {`"phase": "tokens"`, `"phase": "rest"`},
		"private key":    {`"kty": "EC"`, `"kty": "EC", "d": "hunter2"`},
		"negative wait":  {`"cacheWait": "2h0m0s"`, `"cacheWait": "-2h"`},
		"no wait":        {`"cacheWait": "2h0m0s"`, `"cacheWait": "soon"`},
	} {
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("%s: %q is not in the file", name, change[0])
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rotate.Load(path); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
