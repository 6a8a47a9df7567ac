package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// maxFile bounds a plan's file: some KiB for each step.
const maxFile = 16 << 20

const again = "make the plan again with podpass migrate plan, rather than editing it"

// Sign gives the plan the digest of what it says.
func (p *Plan) Sign() error {
	d, err := p.digest()
	p.Digest = d
	return err
}

// Check reports whether the plan says what it was signed with.
func (p *Plan) Check() error {
	d, err := p.digest()
	if err != nil {
		return err
	}
	if p.Digest != d {
		return hint.New(errors.New("the plan has been changed since it was made: its digest is another one"), again)
	}
	return nil
}

func (p *Plan) digest() (string, error) {
	unsigned := *p
	unsigned.Digest = ""
	b, err := json.Marshal(unsigned)
	if err != nil {
		return "", fmt.Errorf("making the digest of a plan: %w", err)
	}
	return sum(b), nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

// Read reads a plan's file, and refuses one of another version, and one that has been
// changed since it was made.
func Read(file string) (*Plan, error) {
	b, err := manifest.ReadFile(nil, file, maxFile)
	if err != nil {
		return nil, hint.New(err, "name the folder that podpass migrate plan has written, or the "+Name+" in it")
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(b, &head); err != nil || head.Kind != Kind {
		return nil, hint.New(fmt.Errorf("%s is no %s", file, Kind), "name the "+Name+" that podpass migrate plan has written")
	}
	if head.APIVersion != Version {
		return nil, hint.New(fmt.Errorf("%s is of version %q, and this podpass reads %s", file, head.APIVersion, Version), "make the plan again with this podpass")
	}
	p := new(Plan)
	if err := yaml.UnmarshalStrict(b, p); err != nil {
		return nil, hint.New(fmt.Errorf("%s: %w", file, err), again)
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// write gives the plan's file.
func (p *Plan) write() ([]byte, error) {
	b, err := yaml.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", Name, err)
	}
	return append([]byte("# Made by podpass migrate plan. Review it, commit it, and do not edit it: it is signed.\n"), b...), nil
}
