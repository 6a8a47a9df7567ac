package sdks

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const partner = "arn:aws:iam::111122223333:role/partner"

// profiles is what people have in a file: a region alone, another role with the
// container's credentials as its source, and keys.
const profiles = `[profile regiononly]
region = eu-west-3

[profile partner]
role_arn = ` + partner + `
credential_source = EcsContainer
role_session_name = orders
region = eu-central-1
`

const keys = `[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
`

// node is a metadata service that gives the node's role to whoever asks.
func node(t *testing.T) (endpoint string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			_, _ = io.WriteString(w, "token")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			asked.Add(1)
			_, _ = io.WriteString(w, "node")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/node"):
			asked.Add(1)
			_, _ = io.WriteString(w, `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIANODE","SecretAccessKey":"x","Token":"x","Expiration":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/", asked
}

// TestWhatContainersSet: what SDKs make of a container's own variables beside the
// injected ones, which are those that the webhook adds for them (test/conformance/pods).
// None takes the node's role, which is there for the asking.
func TestWhatContainersSet(t *testing.T) {
	programs, m, bin := slices.Concat(clients(t), pythonClients(t)), newMatrix(t), buildBroker(t)
	files := t.TempDir()
	config, credentials := filepath.Join(files, "config"), filepath.Join(files, "credentials")
	for name, text := range map[string]string{config: profiles, credentials: keys} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	absent := filepath.Join(files, "absent")
	const none = "an error"
	t.Run("withheld", func(t *testing.T) { // the test can see the node's role being taken
		w := newWorld(t, scenario{})
		endpoint, asked := node(t)
		programs[0].run(t, "aws", append(w.commonEnv(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="+endpoint, "AWS_EC2_METADATA_DISABLED=false", "AWS_PROFILE=regiononly", "AWS_CONFIG_FILE="+config))
		if asked.Load() == 0 {
			t.Error("a profile without keys, and nothing injected, does not ask the node")
		}
	})
	for name, test := range map[string]struct {
		env    []string
		direct bool
		want   string // a part of the ARN; or none
		// calls: the SDK itself calls STS, where Debian's, which know no
		// AWS_ENDPOINT_URL_STS, do not find the stand-in.
		calls bool
	}{
		"a profile that sets a region alone":         {env: []string{"AWS_PROFILE=regiononly", "AWS_CONFIG_FILE=" + config}, want: identityShown["aws"]},
		"a profile by its older name":                {env: []string{"AWS_DEFAULT_PROFILE=regiononly", "AWS_CONFIG_FILE=" + config}, want: identityShown["aws"]},
		"a profile with credential_source":           {env: []string{"AWS_PROFILE=partner", "AWS_CONFIG_FILE=" + config}, want: ":assumed-role/partner/", calls: true},
		"a configuration file":                       {env: []string{"AWS_CONFIG_FILE=" + config}, want: identityShown["aws"]},
		"a configuration file that is absent":        {env: []string{"AWS_CONFIG_FILE=" + absent}, want: identityShown["aws"]},
		"a credentials file that is absent":          {env: []string{"AWS_SHARED_CREDENTIALS_FILE=" + absent}, want: identityShown["aws"]},
		"a credentials file with keys":               {env: []string{"AWS_SHARED_CREDENTIALS_FILE=" + credentials}, want: none},
		"a credentials file with keys, overridden":   {env: []string{"AWS_SHARED_CREDENTIALS_FILE=" + credentials, "AWS_SHARED_CREDENTIALS_FILE="}, want: identityShown["aws"]},
		"metadata disabled":                          {env: []string{"AWS_EC2_METADATA_DISABLED=true"}, want: identityShown["aws"]},
		"a session name":                             {env: []string{"AWS_ROLE_SESSION_NAME=mine"}, want: identityShown["aws"]},
		"direct: a profile that sets a region alone": {env: []string{"AWS_PROFILE=regiononly", "AWS_CONFIG_FILE=" + config}, direct: true, want: identityShown["aws"]},
		"direct: a configuration file":               {env: []string{"AWS_CONFIG_FILE=" + config}, direct: true, want: identityShown["aws"]},
		"direct: a credentials file that is absent":  {env: []string{"AWS_SHARED_CREDENTIALS_FILE=" + absent}, direct: true, want: identityShown["aws"]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scenario{trust: func(c *trust.Config) {
				c.AWS.Roles = append(c.AWS.Roles, trust.AWSRole{ARN: partner, AssumedBy: []string{orders.AWSRole}})
			}})
			b := bin.startReady(t, w)
			endpoint, asked := node(t)
			for _, c := range programs {
				if (test.direct || test.calls) && (c.name == "python" || c.name == "awscli") {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					env := b.env(w)
					if test.direct {
						// Where the webhook leaves EC2's metadata service to the application.
						env = append(w.directEnv(t), "AWS_EC2_METADATA_DISABLED=false")
					}
					env = slices.Concat(env, []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + endpoint}, test.env)
					r := c.dated(c.run(t, c.check("aws"), env))
					cell := r.Identity
					switch {
					case test.want == none && r.OK:
						t.Errorf("got credentials of %s", r.Identity)
					case test.want == none:
						cell = none
					case !r.OK || !strings.Contains(r.Identity, test.want):
						t.Errorf("want %s: %+v", test.want, r)
					}
					m.set(name, c.name, cell)
				})
			}
			if n := asked.Load(); n > 0 {
				t.Errorf("the node's role was asked for %d times", n)
			}
		})
	}
}

// TestKeyOrIdentity: where a container has both a static key and an injected identity,
// which of them each SDK takes: what podpass migrate status says of it.
func TestKeyOrIdentity(t *testing.T) {
	programs, m, bin := slices.Concat(clients(t), pythonClients(t)), newMatrix(t), buildBroker(t)
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(keys)
	variables := []string{"AWS_ACCESS_KEY_ID=" + fields[3], "AWS_SECRET_ACCESS_KEY=" + fields[6]}
	const key, identity = "the key", "the identity"
	for name, test := range map[string]struct {
		env    []string
		direct bool
		want   map[string]string // by SDK
	}{
		"variables":              {variables, false, map[string]string{"go": key, "js": key, "python": key, "awscli": key}},
		"a file":                 {[]string{"AWS_SHARED_CREDENTIALS_FILE=" + file}, false, map[string]string{"go": key, "js": key, "python": key, "awscli": key}},
		"variables, direct mode": {variables, true, map[string]string{"go": key, "js": key}},
		"a file, direct mode":    {[]string{"AWS_SHARED_CREDENTIALS_FILE=" + file}, true, map[string]string{"go": identity, "js": key}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scenario{})
			env := append(w.directEnv(t), test.env...)
			if !test.direct {
				env = append(bin.startReady(t, w).env(w), test.env...)
			}
			for _, c := range programs {
				want, ok := test.want[c.name]
				if !ok { // Debian's, which know no AWS_ENDPOINT_URL_STS, do not find the stand-in
					continue
				}
				got := key // which the stand-in does not take
				if r := c.run(t, c.check("aws"), env); r.OK {
					got = identity
				}
				if got != want {
					t.Errorf("%s takes %s, want %s", c.name, got, want)
				}
				m.set("static key beside it: "+name, c.name, got)
			}
		})
	}
}
