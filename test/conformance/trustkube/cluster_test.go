package trustkube

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// nobody is a configuration that takes no token, to start with.
const nobody = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n"

// TestClusterCases: a real API server says of each case what people wrote, and so what
// Evaluate says: whether the configuration is one, whether the token is taken, and as whom.
// A server takes ten seconds to read a configuration, so that cases whose issuers differ
// share one; Evaluate gets the same.
func TestClusterCases(t *testing.T) {
	s := startServer(t, []byte(nobody))
	i := newIssuer(t)
	for n, batch := range batches(load(t)) {
		t.Run(fmt.Sprintf("batch %d", n), func(t *testing.T) {
			all := merged(batch)
			configuration := all.configuration(t, i, s.Issuer)
			if taken := s.reload(t, configuration); taken == all.Invalid {
				t.Fatalf("the API server takes the configuration: %t, want %t", taken, !all.Invalid)
			}
			for _, c := range batch {
				t.Run(c.Name, func(t *testing.T) { s.agrees(t, c, i, configuration) })
			}
		})
	}
}

// merged is a case with the issuers of all.
func merged(batch []Case) Case {
	all := Case{Name: batch[0].Name + " and others", Version: batch[0].Version, Invalid: batch[0].Invalid}
	for _, c := range batch {
		all.JWT = append(all.JWT, c.JWT...)
	}
	return all
}

// agrees asks the server and Evaluate about a case's token.
func (s *apiServer) agrees(t *testing.T, c Case, i *issuer, configuration []byte) {
	t.Helper()
	token := c.encoded(t, i, s.Issuer)
	holds(t, c, verdict(t.Context(), i, configuration, token, s.Issuer))
	if c.Invalid {
		return // the server goes on with what it had
	}
	user := kubetrust.User{}
	got := s.whoami(t, token)
	if got != nil {
		user = *got
	}
	if (got != nil) != c.Taken {
		t.Errorf("the API server takes the token: %t, want %t", got != nil, c.Taken)
	}
	if diff := cmp.Diff(c.user(), user); diff != "" {
		t.Errorf("the API server's user: -want +got\n%s", diff)
	}
}

// batches puts cases together whose issuers differ. One that the server does not take
// stands alone.
func batches(cases []Case) [][]Case {
	var all [][]Case
	var issuers []map[string]bool
next:
	for _, c := range cases {
		own := map[string]bool{}
		for _, a := range c.JWT {
			own[fmt.Sprint(a["issuer"].(map[string]any)["url"])] = true
		}
		own[strings.TrimSuffix(fmt.Sprint(c.Claims["iss"]), "/")] = true
		for n, there := range issuers {
			shared := c.Invalid || all[n][0].Invalid || c.Version != all[n][0].Version || len(there)+len(own) > 64
			for url := range own {
				shared = shared || there[url]
			}
			if shared {
				continue
			}
			for url := range own {
				there[url] = true
			}
			all[n] = append(all[n], c)
			continue next
		}
		all, issuers = append(all, []Case{c}), append(issuers, own)
	}
	return all
}
