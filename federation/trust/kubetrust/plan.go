package kubetrust

import (
	"encoding/json"
	"fmt"

	v1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Plan is what the API server must hold, and what its RBAC must.
type Plan struct {
	Issuers []Planned
	version string
	// objects of RBAC, in order.
	objects []any
}

// Planned is the authenticator of an issuer.
type Planned struct {
	v1.JWTAuthenticator
	// Name is the prefix of its users and groups, without the colon.
	Name   string
	Preset string

	// What the flags of older API servers say: claims. Of workloads they are empty.
	username, groups string
	named            bool // groups get other names
}

// tree is the configuration without the empty objects that its types marshal.
func (p *Plan) tree() (map[string]any, error) {
	jwt := []any{}
	for _, i := range p.Issuers {
		raw, err := json.Marshal(i.JWTAuthenticator)
		if err != nil {
			return nil, fmt.Errorf("writing the authenticator of %s: %w", i.Name, err)
		}
		var one map[string]any
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, fmt.Errorf("writing the authenticator of %s: %w", i.Name, err)
		}
		jwt = append(jwt, pruned(one))
	}
	return map[string]any{"apiVersion": v1.GroupName + "/" + p.version, "kind": "AuthenticationConfiguration", "jwt": jwt}, nil
}

func pruned(m map[string]any) map[string]any {
	for key, value := range m {
		if inner, ok := value.(map[string]any); ok && len(pruned(inner)) == 0 {
			delete(m, key)
		}
	}
	return m
}

// YAML is the file of --authentication-config.
func (p *Plan) YAML() ([]byte, error) {
	tree, err := p.tree()
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(tree)
}

// JSON is the same in JSON, which the API server reads as well.
func (p *Plan) JSON() ([]byte, error) {
	tree, err := p.tree()
	if err != nil {
		return nil, err
	}
	return quote.JSON(tree)
}
