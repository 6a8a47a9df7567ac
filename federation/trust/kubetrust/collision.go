package kubetrust

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"

	"github.com/podpass-io/podpass/federation/finding"
)

// Collisions are the pairs of issuers of which one can name users, or groups, of the
// other, since what comes before its names is the begin of what comes before the other's.
// What an expression does is known where it begins with a text.
func Collisions(d *Document) []finding.Finding {
	var found []finding.Finding
	jwt := d.configuration.JWT
	for n := range jwt {
		for m := range n {
			for _, what := range []struct {
				name string
				of   func(apiserver.ClaimMappings) apiserver.PrefixedClaimOrExpression
			}{
				{"users", func(c apiserver.ClaimMappings) apiserver.PrefixedClaimOrExpression { return c.Username }},
				{"groups", func(c apiserver.ClaimMappings) apiserver.PrefixedClaimOrExpression { return c.Groups }},
			} {
				first, known := before(what.of(jwt[m].ClaimMappings))
				second, also := before(what.of(jwt[n].ClaimMappings))
				if !known || !also || !strings.HasPrefix(first, second) && !strings.HasPrefix(second, first) {
					continue
				}
				f := finding.Broad(CodeCollision, fmt.Sprintf("jwt[%d] %s and jwt[%d] %s", m, jwt[m].Issuer.URL, n, jwt[n].Issuer.URL),
					"can name the same "+what.name+", so that one provider decides who somebody of the other is")
				found = append(found, finding.Fix(finding.Sides(f, first, second), "give each issuer a prefix of its own, with a colon at its end"))
			}
		}
	}
	return found
}

// text at an expression's begin, to which something is added.
var text = regexp.MustCompile(`^\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\+`)

// before is what comes before each name; false: it is not known, or there are no names.
func before(m apiserver.PrefixedClaimOrExpression) (string, bool) {
	if m.Claim != "" && m.Prefix != nil {
		return *m.Prefix, true
	}
	found := text.FindStringSubmatch(m.Expression)
	if found == nil {
		return "", false
	}
	return found[1] + found[2], true
}
