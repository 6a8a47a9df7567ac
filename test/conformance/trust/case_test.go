package trust

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Case is one file.
type Case struct {
	// Name is the file's, without its ending.
	Name string `json:"-"`
	// Cloud is aws, gcp or azure.
	Cloud string `json:"cloud"`
	// Why says in a sentence what the case shows.
	Why string `json:"why"`
	// Document is what the cloud's command line prints, raw; where several commands
	// print what is needed, one after another.
	Document string `json:"document"`
	// Claims are the token's; iat and exp are added where they are missing.
	Claims map[string]any `json:"claims"`
	// Unreachable: the cloud cannot fetch the keys of the token's issuer.
	Unreachable bool `json:"unreachable,omitempty"`
	// Context is what the request has besides the token, by the cloud's own names
	// ("aws:SourceIp"). Both sides are told.
	Context map[string]string `json:"context,omitempty"`
	// Allowed: the cloud lets the token in.
	Allowed bool `json:"allowed"`
	// Codes are those of Evaluate's findings, in order.
	Codes []string `json:"codes,omitempty"`
}

// Load reads all cases.
func Load() ([]Case, error) {
	names, err := filepath.Glob("cases/*.yaml")
	if err != nil {
		return nil, err
	}
	cases := make([]Case, 0, len(names))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		c := Case{Name: strings.TrimSuffix(filepath.Base(name), ".yaml")}
		if err := c.read(b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (c *Case) read(b []byte) error {
	if err := yaml.UnmarshalStrict(b, c); err != nil {
		return err
	}
	switch {
	case c.Why == "":
		return errors.New("why is missing")
	case c.Document == "":
		return errors.New("document is missing")
	case len(c.Claims) == 0:
		return errors.New("claims are missing")
	case !c.Allowed && len(c.Codes) == 0:
		return errors.New("a refusal without a code tells nobody anything")
	}
	return nil
}
