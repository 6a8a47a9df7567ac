package trustkube

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// nobody is a configuration that takes no token, to start with.
const nobody = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n"

// TestClusterCases: a real API server says of each case what people wrote, and so what
// Evaluate says: whether the configuration is one, whether the token is taken, and as whom.
func TestClusterCases(t *testing.T) {
	s := startServer(t, []byte(nobody))
	i := newIssuer(t)
	for _, c := range load(t) {
		t.Run(c.Name, func(t *testing.T) {
			configuration, token := c.configuration(t, i, s.Issuer), c.encoded(t, i, s.Issuer)
			if taken := s.reload(t, configuration); taken == c.Invalid {
				t.Fatalf("the API server takes the configuration: %t, want %t", taken, !c.Invalid)
			}
			holds(t, c, verdict(t.Context(), i, configuration, token, s.Issuer))
			if c.Invalid {
				return // what it had before stays
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
		})
	}
}
