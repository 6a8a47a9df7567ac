package gcptrust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
)

const (
	// maxDocument bounds what is read: a policy has 64 KiB at most, and a pool 50
	// providers or so with their keys.
	maxDocument = 1 << 20
	// maxParts bounds how many objects one document may have.
	maxParts = 500
)

var (
	poolName     = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+$`)
	providerName = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+/providers/[^/]+$`)
)

// Parse reads what gcloud prints, in YAML, which is its default, or in JSON:
//
//	gcloud iam workload-identity-pools describe POOL
//	gcloud iam workload-identity-pools providers describe PROVIDER
//	gcloud iam workload-identity-pools providers list
//	gcloud iam service-accounts get-iam-policy EMAIL
//
// or what podpass trust gcp -o json does. Several of them may follow each other, in YAML with "---" between. Each is known by its
// shape. Anything else is an error, since a verdict on half of what was meant misleads.
func Parse(raw []byte) (Document, error) {
	var d Document
	if len(raw) > maxDocument {
		return d, fmt.Errorf("larger than %d KiB", maxDocument>>10)
	}
	parts, err := split(raw)
	if err != nil {
		return d, err
	}
	for n, part := range parts {
		if n == maxParts {
			return d, fmt.Errorf("more than %d objects", maxParts)
		}
		if err := d.add(part); err != nil {
			return d, fmt.Errorf("object %d: %w", n+1, err)
		}
	}
	if len(parts) == 0 {
		return d, errors.New("empty")
	}
	return d, nil
}

// split gives each object as JSON, those within lists one by one.
func split(raw []byte) ([]json.RawMessage, error) {
	var parts []json.RawMessage
	if trimmed := bytes.TrimSpace(raw); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		for in := json.NewDecoder(bytes.NewReader(trimmed)); ; {
			var part json.RawMessage
			if err := in.Decode(&part); errors.Is(err, io.EOF) {
				return flat(parts)
			} else if err != nil {
				return nil, fmt.Errorf("not JSON: %w", err)
			}
			parts = append(parts, part)
		}
	}
	for in := yaml.NewDecoder(bytes.NewReader(raw)); ; {
		var v any
		if err := in.Decode(&v); errors.Is(err, io.EOF) {
			return flat(parts)
		} else if err != nil {
			return nil, fmt.Errorf("neither JSON nor YAML: %w", err)
		}
		if v == nil {
			continue // nothing but comments, before the first "---"
		}
		part, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("YAML that is no JSON: %w", err)
		}
		parts = append(parts, part)
	}
}

func flat(parts []json.RawMessage) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for _, part := range parts {
		var list []json.RawMessage
		if part[0] != '[' {
			all = append(all, part)
		} else if err := json.Unmarshal(part, &list); err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func (d *Document) add(part json.RawMessage) error {
	var shape struct {
		Name     string          `json:"name"`
		Bindings json.RawMessage `json:"bindings"`
		ETag     string          `json:"etag"`
		Plan     json.RawMessage `json:"providers"`
	}
	if err := json.Unmarshal(part, &shape); err != nil {
		return errors.New("not an object of Google Cloud")
	}
	switch {
	case shape.Plan != nil:
		var plan Document
		if err := json.Unmarshal(part, &plan); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		*d = d.With(plan)
	case providerName.MatchString(shape.Name):
		var p Provider
		if err := json.Unmarshal(part, &p); err != nil {
			return fmt.Errorf("provider: %w", err)
		}
		d.Providers = append(d.Providers, p)
	case poolName.MatchString(shape.Name):
		var p Pool
		if err := json.Unmarshal(part, &p); err != nil {
			return fmt.Errorf("pool: %w", err)
		}
		d.Pools = append(d.Pools, p)
	case shape.Bindings != nil || shape.Name == "" && shape.ETag != "": // a policy that grants nothing is its etag alone
		var p Policy
		if err := json.Unmarshal(part, &p); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		d.Policies = append(d.Policies, p)
	default:
		return errors.New("neither a workload identity pool, nor a provider of one, nor an IAM policy; see gcloud iam workload-identity-pools providers describe, and gcloud iam service-accounts get-iam-policy")
	}
	return nil
}
