package inject

import (
	"fmt"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestUserOfThePodsOwnToken: podpass's containers run as the pod's user where another would
// take a token of its own from it, and else as podpass's.
func TestUserOfThePodsOwnToken(t *testing.T) {
	const (
		token  = `{"serviceAccountToken":{"audience":"vault","path":"token"}}`
		config = `{"configMap":{"name":"c"}}`
	)
	for name, test := range map[string]struct {
		pod, first, second string // security contexts, of the pod and of two containers
		mode               int
		source             string
		want               int64
	}{
		"of the pod":                          {`{"runAsUser":1000}`, `{}`, `{}`, 0o400, token, 1000},
		"user 1":                              {`{"runAsUser":1}`, `{}`, `{}`, 0o400, token, 1},
		"root":                                {`{"runAsUser":0}`, `{}`, `{}`, 0o400, token, 65532},
		"of each container":                   {`{}`, `{"runAsUser":1000}`, `{"runAsUser":1000}`, 0o400, token, 1000},
		"of containers, other than the pod's": {`{"runAsUser":2}`, `{"runAsUser":1000}`, `{"runAsUser":1000}`, 0o400, token, 1000},
		"two users":                           {`{"runAsUser":1000}`, `{}`, `{"runAsUser":1001}`, 0o400, token, 65532},
		"one not known":                       {`{}`, `{"runAsUser":1000}`, `{}`, 0o400, token, 65532},
		"none known":                          {`{}`, `{}`, `{}`, 0o400, token, 65532},
		"a group that may read":               {`{"runAsUser":1000,"fsGroup":7}`, `{}`, `{}`, 0o400, token, 65532},
		"the group's mode too":                {`{"runAsUser":1000}`, `{}`, `{}`, 0o440, token, 1000},
		"others may read":                     {`{"runAsUser":1000}`, `{}`, `{}`, 0o444, token, 65532},
		"others may execute":                  {`{"runAsUser":1000}`, `{}`, `{}`, 0o401, token, 1000},
		"no mode is said":                     {`{"runAsUser":1000}`, `{}`, `{}`, 0, token, 65532},
		"no token":                            {`{"runAsUser":1000}`, `{}`, `{}`, 0o400, config, 65532},
		"a certificate":                       {`{"runAsUser":1000}`, `{}`, `{}`, 0o400, `{"podCertificate":{}}`, 1000},
		"a trust bundle, after something":     {`{"runAsUser":1000}`, `{}`, `{}`, 0o400, config + `,{"clusterTrustBundle":{}}`, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			raw := fmt.Appendf(nil, `{"metadata":{"name":"p"},"spec":{"securityContext":%s,"containers":[{"name":"a","securityContext":%s},{"name":"b","securityContext":%s}],
				"volumes":[{"name":"own","projected":{"defaultMode":%d,"sources":[%s]}}]}}`, test.pod, test.first, test.second, test.mode, test.source)
			got := typed(t, apply(t, raw, plan(t, raw, benchAnswer(serviceaccount.ModeBroker, 1)).Patch)).Spec.InitContainers[0].SecurityContext.RunAsUser
			if got == nil || *got != test.want {
				t.Errorf("runs as %v, want %d", got, test.want)
			}
		})
	}
}
