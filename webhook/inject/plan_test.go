package inject

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

func TestEachCodeIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("problems.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for code := 50; code < 80; code++ {
		name := fmt.Sprintf("WI%03d", code)
		used := strings.Contains(string(source), `"`+name+`"`)
		if heading := strings.Contains(string(doc), "\n## "+name); used != heading {
			t.Errorf("%s: in the code: %v, a heading in docs/errors.md: %v", name, used, heading)
		}
		if used {
			n++
		}
	}
	if n == 0 {
		t.Error("no code found")
	}
}

func TestEscapeReferences(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": "", "$(SECRET)": "$$(SECRET)", "$$": "$$$$", "a$b": "a$$b", "${aws:x}": "$${aws:x}",
	} {
		if got := escapeReferences(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// An annotation's value ends up in the broker's environment, where kubelet would
// expand $(NAME) in it.
func TestPlanEscapesIdentities(t *testing.T) {
	a := serviceaccount.Answer{AWS: &serviceaccount.AWS{
		Grant:    serviceaccount.Grant{Mode: serviceaccount.ModeBroker},
		Identity: aws.Identity{RoleARN: "arn:aws:iam::123456789012:role/web", Audience: "a", SessionPolicy: `{"$(PODPASS_SECRET)":1}`},
	}}
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`)
	sidecar := typed(t, apply(t, pod, plan(t, pod, a).Patch)).Spec.InitContainers[0]
	if got := sidecar.Env[0].Value; !strings.Contains(got, `$$(PODPASS_SECRET)`) || strings.Contains(strings.ReplaceAll(got, "$$", ""), "$") {
		t.Errorf("PODPASS_IDENTITIES: %s", got)
	}
}

// The order of the operations is part of the contract: indices of the user's
// containers hold only until an init container is inserted before them.
func TestPlanOperations(t *testing.T) {
	a := benchAnswer(serviceaccount.ModeBroker, 1)
	pod := []byte(`{"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"initContainers":[{"name":"i"}],"containers":[{"name":"c","env":[{"name":"X"}]}],"volumes":[]}}`)
	var got []string
	for _, op := range operations(t, plan(t, pod, a).Patch) {
		got = append(got, op.Path)
	}
	want := []string{
		"/spec/initContainers/0/env",
		"/spec/containers/0/env/-", "/spec/containers/0/env/-", "/spec/containers/0/env/-",
		"/spec/volumes/-",
		"/spec/initContainers/0",
		"/metadata/labels/podpass.io~1injected",
		"/metadata/annotations",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// An administrator's settings reach the sidecar, each only for a cloud it serves.
func TestSidecarSettings(t *testing.T) {
	s := Settings{
		Installation: serviceaccount.Installation{
			AWS: serviceaccount.AWSInstallation{STSEndpoints: map[string]string{"aws": "https://sts.example.com"}},
			GCP: serviceaccount.GCPInstallation{
				UniverseDomain: "universe.example.com", STSEndpoint: "https://gcp.example.com", IAMCredentialsEndpoint: "https://iam.example.com", Zone: "zone-a",
			},
			Azure: serviceaccount.AzureInstallation{AuthorityHost: "https://login.example.com/", ProbeResource: "https://vault.example.com"},
		},
		Broker:   BrokerSettings{Image: "i", ImagePullPolicy: "Never", LogLevel: "debug", RunAsUser: -1},
		CABundle: "-----BEGIN CERTIFICATE-----",
	}
	ofAWS := map[string]string{"PODPASS_AWS_STS_ENDPOINT": "https://sts.example.com"}
	ofGCP := map[string]string{
		"PODPASS_GCP_UNIVERSE_DOMAIN": "universe.example.com", "PODPASS_GCP_STS_ENDPOINT": "https://gcp.example.com", "PODPASS_GCP_IAM_CREDENTIALS_ENDPOINT": "https://iam.example.com",
		"PODPASS_GCP_INSTANCE_ZONE": "zone-a", "PODPASS_GCP_INSTANCE_NAME": "spec.nodeName",
	}
	ofAzure := map[string]string{"PODPASS_AZURE_AUTHORITY_HOST": "https://login.example.com/", "PODPASS_AZURE_PROBE_RESOURCE": "https://vault.example.com"}
	for name, tt := range map[string]struct {
		leave func(*serviceaccount.Answer)
		want  []map[string]string
	}{
		"aws":   {func(a *serviceaccount.Answer) { a.GCP, a.Azure = nil, nil }, []map[string]string{ofAWS}},
		"gcp":   {func(a *serviceaccount.Answer) { a.AWS, a.Azure = nil, nil }, []map[string]string{ofGCP}},
		"azure": {func(a *serviceaccount.Answer) { a.AWS, a.GCP = nil, nil }, []map[string]string{ofAzure}},
		"all":   {func(*serviceaccount.Answer) {}, []map[string]string{ofAWS, ofGCP, ofAzure}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`)
			p, err := Decode(pod)
			if err != nil {
				t.Fatal(err)
			}
			a := benchAnswer(serviceaccount.ModeBroker, 3)
			tt.leave(&a)
			r, err := Plan(p, a, s)
			if err != nil {
				t.Fatal(err)
			}
			c := typed(t, apply(t, pod, r.Patch)).Spec.InitContainers[0]
			got := map[string]string{}
			for _, e := range c.Env[4:] {
				got[e.Name] = e.Value
				if e.ValueFrom != nil {
					got[e.Name] = e.ValueFrom.FieldRef.FieldPath
				}
			}
			want := map[string]string{"PODPASS_CA_BUNDLE": s.CABundle, "PODPASS_LOG_LEVEL": "debug"}
			for _, list := range tt.want {
				maps.Copy(want, list)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if c.SecurityContext.RunAsUser != nil || c.ImagePullPolicy != "Never" {
				t.Errorf("runAsUser %v, imagePullPolicy %q", c.SecurityContext.RunAsUser, c.ImagePullPolicy)
			}
		})
	}
}

func TestPodLevelResources(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"resources":{"requests":{"cpu":1}},"containers":[{"name":"c"}]}}`)
	c := typed(t, apply(t, pod, plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 1)).Patch)).Spec.InitContainers[0]
	if len(c.Resources.Limits)+len(c.Resources.Requests) != 0 {
		t.Errorf("the sidecar takes %v of the pod's own resources", c.Resources)
	}
}

// A manifest made from a running pod of another identity must not keep that one: what
// podpass added then gives way to what it adds now.
func TestPlanStaleSidecar(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`)
	a := benchAnswer(serviceaccount.ModeBroker, 1)
	injected := apply(t, pod, plan(t, pod, a).Patch)
	other := *a.AWS
	other.RoleARN = "arn:aws:iam::123456789012:role/other"
	a.AWS = &other
	got := apply(t, injected, plan(t, injected, a).Patch)
	if d := cmp.Diff(decode(t, apply(t, pod, plan(t, pod, a).Patch)), decode(t, got)); d != "" {
		t.Error(d)
	}
}

func TestCredentialConfig(t *testing.T) {
	const provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/prod"
	for name, tt := range map[string]struct {
		id   gcp.Identity
		at   gcp.Endpoints
		want string
	}{
		"direct resource access": {
			id:   gcp.Identity{Provider: provider},
			want: `{"type":"external_account","audience":"` + provider + `","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token","credential_source":{"file":"/t","format":{"type":"text"}}}`,
		},
		"impersonation elsewhere": {
			id: gcp.Identity{Provider: provider, ServiceAccount: "web@p.iam.gserviceaccount.com", TokenLifetime: 7200, QuotaProject: "billing"},
			at: gcp.Endpoints{Universe: "example.com", IAMCredentials: "https://iam.example.com"},
			want: `{"type":"external_account","audience":"` + provider + `","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.example.com/v1/token","credential_source":{"file":"/t","format":{"type":"text"}},` +
				`"service_account_impersonation_url":"https://iam.example.com/v1/projects/-/serviceAccounts/web@p.iam.gserviceaccount.com:generateAccessToken","service_account_impersonation":{"token_lifetime_seconds":7200},"quota_project_id":"billing","universe_domain":"example.com"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := credentialConfig(tt.id, "/t", tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A list of containers to skip is warned of where it skips nothing, or all.
func TestSkipList(t *testing.T) {
	for name, tt := range map[string]struct {
		containers string
		skip, want []string
	}{
		"one of two":         {`{"name":"a"},{"name":"b"}`, []string{"a"}, nil},
		"all":                {`{"name":"a"},{"name":"b"}`, []string{"a", "b"}, []string{codeAllSkipped}},
		"one that is none":   {`{"name":"a"}`, []string{"x"}, []string{codeUnknownSkip}},
		"all, and one more":  {`{"name":"a"}`, []string{"a", "x"}, []string{codeUnknownSkip, codeAllSkipped}},
		"of no container":    {``, nil, nil},
		"two that are none":  {`{"name":"a"}`, []string{"x", "y"}, []string{codeUnknownSkip, codeUnknownSkip}},
		"one, on two lists":  {`{"name":"a"},{"name":"b"}`, []string{"a", "a"}, nil},
		"none, on two lists": {`{"name":"a"}`, []string{"x", "x"}, []string{codeUnknownSkip}},
		"one, the other way": {`{"name":"a"},{"name":"b"}`, []string{"b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := benchAnswer(serviceaccount.ModeBroker, 1)
			a.SkipContainers = tt.skip
			var got []string
			for _, p := range plan(t, []byte(`{"metadata":{"name":"p"},"spec":{"containers":[`+tt.containers+`]}}`), a).Warnings {
				got = append(got, p.Code)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A pod is Guaranteed by its quantities, however they are written, and stays so.
func TestGuaranteedByQuantity(t *testing.T) {
	for name, tt := range map[string]struct {
		limit, request string
		want           bool
	}{
		"as written": {`"1"`, `"1"`, true}, "a number": {`1`, `"1"`, true}, "milli": {`"1"`, `"1000m"`, true}, "less": {`"1"`, `"999m"`, false},
		"equal, but of no size": {`"1e999999999"`, `"1e999999999"`, true}, "not compared": {`"1e999999999"`, `"1"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Decode([]byte(`{"metadata":{},"spec":{"containers":[{"resources":{"limits":{"cpu":` + tt.limit + `,"memory":"1"},"requests":{"cpu":` + tt.request + `}}}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			if p, err = p.whole(); err != nil {
				t.Fatal(err)
			}
			if got := p.Spec.Containers[0].Resources.guaranteed(); got != tt.want {
				t.Errorf("guaranteed %t", got)
			}
		})
	}
}

// What the pod was given names each audience and each token source.
func TestInjectedNamesOIDC(t *testing.T) {
	a := serviceaccount.Answer{OIDC: &serviceaccount.OIDC{
		Grant:     serviceaccount.Grant{Mode: serviceaccount.ModeBroker, Source: "annotation"},
		Audiences: []oidc.Audience{{Name: "vault", Audience: "v"}, {Name: "db", Audience: "d"}},
		Identity:  oidc.Identity{Sources: []oidc.Source{{Name: "api", TokenURL: "https://login.example.com/token", Audience: "a"}}},
	}}
	got := plan(t, []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`), a).Injected
	want := []Injection{{Cloud: "oidc", Mode: serviceaccount.ModeBroker, Identity: "vault,db,api", Source: "annotation"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
