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
	trust.Verdict
}

// Judge says of each document of a cloud ("aws") whether a token with these claims is let
// in; none: there are no documents of that cloud.
func (d *Documents) Judge(cloud string, c federation.Claims) []Judged {
	var list []Judged
	for _, one := range d.byCloud[cloud] {
		list = append(list, Judged{one.name, one.evaluate(token{Claims: c, all: jwt(c)})})
	}
	return list
}
