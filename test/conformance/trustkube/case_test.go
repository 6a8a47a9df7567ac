package trustkube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// Case is one file.
type Case struct {
	// Name is the file's, without its ending.
	Name string `json:"-"`
	// Why says in a sentence what the case shows.
	Why string `json:"why"`
	// Version of the configuration; empty: v1.
	Version string `json:"version,omitempty"`
	// JWT is that of the configuration. OWN stands for the API server's own issuer. Where
	// the discovery document is, and by whose certificate, is added.
	JWT []map[string]any `json:"jwt"`

	// Claims of the token; Token is one that is no JWT, instead.
	Claims map[string]any `json:"claims,omitempty"`
	Token  string         `json:"token,omitempty"`
	// Expires and Begins are exp and nbf from now on; never, and empty, leave them out.
	// Without Expires the token has an hour.
	Expires string `json:"expires,omitempty"`
	Begins  string `json:"begins,omitempty"`
	// Algorithm is RS256 unless it is said. Key is forged (the kid is right) or unknown.
	Algorithm string `json:"algorithm,omitempty"`
	Key       string `json:"key,omitempty"`

	// Invalid: the API server does not take the configuration.
	Invalid  bool                `json:"invalid,omitempty"`
	Taken    bool                `json:"taken,omitempty"`
	Username string              `json:"username,omitempty"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
	// Codes are those of Evaluate's findings, in order.
	Codes []string `json:"codes,omitempty"`
}

// load reads all cases.
func load(t testing.TB) []Case {
	t.Helper()
	names, err := filepath.Glob("cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c := Case{Name: strings.TrimSuffix(filepath.Base(name), ".yaml")}
		if err := yaml.UnmarshalStrict(raw, &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch {
		case c.Why == "":
			t.Fatalf("%s does not say why it is there", name)
		case c.Taken == (c.Username == ""), c.Taken && c.Invalid:
			t.Fatalf("%s contradicts itself", name)
		case !c.Taken && len(c.Codes) == 0:
			t.Fatalf("%s: a refusal without a code tells nobody anything", name)
		}
		cases = append(cases, c)
	}
	if len(cases) < 40 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

// configuration is the case's, with the discovery documents at the stand-in issuer.
func (c Case) configuration(t testing.TB, i *issuer, own string) []byte {
	t.Helper()
	version := c.Version
	if version == "" {
		version = "v1"
	}
	raw, err := json.Marshal(map[string]any{"apiVersion": "apiserver.config.k8s.io/" + version, "kind": "AuthenticationConfiguration", "jwt": c.JWT})
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), `"OWN"`, fmt.Sprintf("%q", own))), &tree); err != nil {
		t.Fatal(err)
	}
	for _, a := range tree["jwt"].([]any) {
		at := a.(map[string]any)["issuer"].(map[string]any)
		at["discoveryURL"], at["certificateAuthority"] = i.discovery(at["url"].(string)), i.ca
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	// A comment makes it another configuration than the last, so that it is read.
	return append([]byte("# "+c.Name+"\n"), text...)
}

// encoded is the case's token.
func (c Case) encoded(t testing.TB, i *issuer, own string) string {
	t.Helper()
	if c.Token != "" {
		return c.Token
	}
	claims := map[string]any{}
	for k, v := range c.Claims {
		claims[k] = v
	}
	if claims["iss"] == "OWN" {
		claims["iss"] = own
	}
	date := func(claim, text string) {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		claims[claim] = time.Now().Add(d).Unix()
	}
	switch c.Expires {
	case "never":
	case "":
		date("exp", "1h")
	default:
		date("exp", c.Expires)
	}
	if c.Begins != "" {
		date("nbf", c.Begins)
	}
	return i.sign(t, claims, c.Algorithm, c.Key)
}

// place of a discovery document: any path that tells issuers apart.
func place(url string) string {
	sum := sha256.Sum256([]byte(url))
	return "/" + hex.EncodeToString(sum[:8])
}
