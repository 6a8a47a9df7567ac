package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// maxFile bounds the identities and CA files.
const maxFile = 1 << 20

func (c Config) loadIdentities(into *serviceaccount.Identities) error {
	if c.Identities == "" {
		return errors.New("identities are required: set " + Variable("identities") + " or --identities to JSON, or to a file with it")
	}
	raw, err := textOrFile(c.Identities, "{")
	if err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // a misspelt field must not silently mean nothing
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("identities: not the JSON that was expected: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("identities: there is text after the JSON")
	}
	if *into == (serviceaccount.Identities{}) {
		return errors.New("identities: none of aws, gcp, azure, oidc is there")
	}
	return validate(*into)
}

// validate reports all that is wrong with the identities of all clouds.
func validate(i serviceaccount.Identities) error {
	var errs []error
	check := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("identities: %s: %w", name, err))
		}
	}
	if i.AWS != nil {
		check("aws", i.AWS.Validate())
	}
	if i.GCP != nil {
		check("gcp", i.GCP.Validate())
	}
	if i.Azure != nil {
		check("azure", i.Azure.Validate())
	}
	if i.OIDC != nil {
		names := map[string]bool{}
		for _, s := range i.OIDC.Sources {
			name := fmt.Sprintf("token source %.40q", s.Name)
			check(name, s.Validate())
			if names[s.Name] {
				check(name, errors.New("is there twice"))
			}
			names[s.Name] = true
		}
	}
	return errors.Join(errs...)
}

// textOrFile gives s itself if it begins as such a text does, else the content of
// the file called s.
func textOrFile(s, begins string) ([]byte, error) {
	if s == "" || strings.HasPrefix(strings.TrimSpace(s), begins) {
		return []byte(s), nil
	}
	f, err := os.Open(s)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", s, maxFile)
	}
	return b, err
}
