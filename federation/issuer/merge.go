package issuer

import "fmt"

// ConflictError is two keys of one kid. A verifier takes either for the other's, so that
// tokens of one of them fail, or of both, by chance.
type ConflictError struct {
	KeyID string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("two different keys have the kid %q", e.KeyID)
}

// Merge gives the keys of all sets, each once, in the order in which they come. The same
// kid with another key is a [*ConflictError]; a key without a kid, which no verifier could
// choose among others, is an error.
//
// Who shares an issuer shares subjects: a token of default/app of one cluster cannot be
// told from one of default/app of another, so whoever may create ServiceAccounts in either
// has the identities of both.
func Merge(sets ...Keys) (Keys, error) {
	var all Keys
	for _, set := range sets {
		for _, k := range set {
			if k.ID == "" {
				return nil, fmt.Errorf("a key without a kid (%s): tokens could not name it", k)
			}
			have, ok := all.Find(k.ID)
			switch {
			case !ok:
				all = append(all, k)
			case !have.Same(k):
				return nil, &ConflictError{KeyID: k.ID}
			}
		}
	}
	return all, nil
}
