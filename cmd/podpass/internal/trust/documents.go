package trust

import (
	"fmt"
	"io"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/trust"
)

// Documents are what clouds were told, read of what their command lines print. It is safe
// for concurrent use.
type Documents struct{ byCloud map[string][]document }

// ReadDocuments reads files, "-" for standard input.
func ReadDocuments(stdin io.Reader, files []string) (*Documents, error) {
	pieces, err := readPieces(stdin, files)
	if err != nil {
		return nil, err
	}
	byCloud, err := sortPieces(pieces)
	if err != nil {
		return nil, err
	}
	d := &Documents{map[string][]document{}}
	for _, c := range clouds() {
		if byCloud[c.name] == nil {
			continue
		}
		if d.byCloud[c.name], err = c.documents(byCloud[c.name]); err != nil {
			return nil, fmt.Errorf("%s: %w", c.title, err)
		}
	}
	return d, nil
}

// Judged is one document's verdict.
type Judged struct {
	// Document names it: "role orders".
	Document string
	// Unnamed: it is of an identity, and does not say of which.
	Unnamed bool
	trust.Verdict
}

// Judge says of the documents of a cloud ("aws") whether a token with these claims is let
// in: of those that name the identity, else of those that name none. The identity is
// what an annotation says: a role's ARN, a service account's email, a client ID.
func (d *Documents) Judge(cloud, identity string, c federation.Claims) []Judged {
	var named, unnamed []Judged
	for _, one := range d.byCloud[cloud] {
		is, tells := true, true
		if one.isOf != nil {
			is, tells = one.isOf(identity)
		}
		j := Judged{Document: one.name, Unnamed: !tells, Verdict: one.evaluate(token{Claims: c, all: jwt(c)})}
		switch {
		case !tells:
			unnamed = append(unnamed, j)
		case is:
			named = append(named, j)
		}
	}
	if named != nil {
		return named
	}
	return unnamed
}
