package broker_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/program"
)

const (
	role     = orders.AWSRole
	provider = orders.GCPProvider
	account  = orders.GCPAccount
	client   = orders.AzureClient
	tenant   = orders.AzureTenant
	subject  = orders.Subject
	secret   = "0f2c1f1e-pod-uid"
)

// world is a broker between an issuer's tokens and three strict clouds.
type world struct {
	url    string
	config broker.Config
	clouds *cloud.Clouds
	issuer *issuer.Issuer
	tokens string
	logs   *program.Log
}

// start runs a broker; change may spoil the world before.
func start(t *testing.T, change func(*trust.Config, *serviceaccount.Identities, *world)) *world {
	t.Helper()
	i := issuer.Start(t)
	config, ids := orders.Trust(i), orders.Identities()
	w := &world{issuer: i, tokens: t.TempDir(), logs: new(program.Log)}
	orders.WriteTokens(t, i, w.tokens, nil)
	if change != nil {
		change(&config, &ids, w)
	}
	w.clouds = cloud.Start(t, config)
	if ids.OIDC != nil {
		for i := range ids.OIDC.Sources {
			s := &ids.OIDC.Sources[i]
			s.TokenURL = cmp.Or(s.TokenURL, w.clouds.OAuth+"/token")
		}
	}
	identities, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	address := program.Address(t)
	w.url = "http://" + address
	w.config = broker.Config{
		Identities: string(identities), Listen: address, Secret: secret, TokenDir: w.tokens,
		AWSSTSEndpoint: w.clouds.AWS, GCPSTSEndpoint: w.clouds.GCP, GCPIAMCredentialsEndpoint: w.clouds.GCP, AzureAuthorityHost: w.clouds.Azure,
		CABundle: w.clouds.CAFile, LogLevel: "debug", LogFormat: "json", MetricsListen: program.Address(t), Version: "1.2.3",
	}
	b, err := broker.New(w.config, w.logs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return w
		}
		if time.Now().After(end) {
			t.Fatal("the broker does not listen")
		}
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// get sends a request; headers are "Name: value", and Host may be among them.
func (w *world) get(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return w.do(t, http.MethodGet, path, headers...)
}

func (w *world) do(t *testing.T, method, path string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	// No redirect is followed: SDKs follow none.
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

const (
	awsPath   = "/aws/v1/credentials"
	azurePath = "/azure/v1/token?api-version=2019-08-01&resource=https://vault.azure.net"
	imdsPath  = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
	gcpToken  = "/computeMetadata/v1/instance/service-accounts/default/token"

	awsHeader   = "Authorization: " + secret
	azureHeader = "X-IDENTITY-HEADER: " + secret
	imdsHeader  = "Metadata: true"
	gcpHeader   = "Metadata-Flavor: Google"
)

// TestRefusals: what is not the pod's own SDK gets nothing.
func TestRefusals(t *testing.T) {
	w := start(t, nil)
	for name, test := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"aws without secret":         {"GET", awsPath, nil, 401},
		"aws with another secret":    {"GET", awsPath, []string{"Authorization: guess"}, 401},
		"aws by POST":                {"POST", awsPath, []string{awsHeader}, 405},
		"aws for another host":       {"GET", awsPath, []string{awsHeader, "Host: evil.example.com"}, 403},
		"aws forwarded":              {"GET", awsPath, []string{awsHeader, "X-Forwarded-For: 192.0.2.1"}, 403},
		"azure without secret":       {"GET", azurePath, nil, 401},
		"azure forwarded":            {"GET", azurePath, []string{azureHeader, "X-Forwarded-For: 192.0.2.1"}, 403},
		"azure without resource":     {"GET", "/azure/v1/token?api-version=2019-08-01", []string{azureHeader}, 400},
		"azure, another client":      {"GET", azurePath + "&client_id=22222222-2222-3333-4444-555555555555", []string{azureHeader}, 400},
		"azure, a resource id":       {"GET", azurePath + "&mi_res_id=/subscriptions/x", []string{azureHeader}, 400},
		"imds without header":        {"GET", imdsPath, nil, 400},
		"imds for another host":      {"GET", imdsPath, []string{imdsHeader, "Host: evil.example.com"}, 403},
		"imds platform metadata":     {"GET", "/metadata/identity/getplatformmetadata", []string{imdsHeader}, 404},
		"gcp without header":         {"GET", gcpToken, nil, 403},
		"gcp forwarded":              {"GET", gcpToken, []string{gcpHeader, "X-Forwarded-For: 192.0.2.1"}, 403},
		"gcp for another host":       {"GET", gcpToken, []string{gcpHeader, "Host: evil.example.com"}, 403},
		"gcp by PUT":                 {"PUT", gcpToken, []string{gcpHeader}, 405},
		"gcp, another account":       {"GET", "/computeMetadata/v1/instance/service-accounts/x@example.com/token", []string{gcpHeader}, 404},
		"gcp, ID token, no audience": {"GET", "/computeMetadata/v1/instance/service-accounts/default/identity", []string{gcpHeader}, 400},
		"gcp, an old version":        {"GET", "/0.1/meta-data/service-accounts/default/acquire", []string{gcpHeader}, 404},
		"gcp, no slash":              {"GET", "/computeMetadata", []string{gcpHeader}, 404},
		"an unknown path":            {"GET", "/latest/meta-data/", nil, 404},
		"a path that is not clean":   {"GET", "/x/../aws/v1/credentials", []string{awsHeader}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.do(t, test.method, test.path, test.headers...)
			if got.status != test.want {
				t.Errorf("status %d, want %d: %s", got.status, test.want, got.body)
			}
			for _, leak := range []string{"SecretAccessKey", "access_token"} {
				if strings.Contains(got.body, leak) {
					t.Errorf("the refusal holds %s", leak)
				}
			}
		})
	}
}

func TestAWSCredentials(t *testing.T) {
	w := start(t, nil)
	got := w.get(t, awsPath, awsHeader)
	if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, Content-Type %q: %s", got.status, got.header.Get("Content-Type"), got.body)
	}
	var body map[string]string // all strings
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	if body["AccountId"] != "111122223333" || body["RoleArn"] != role || body["AccessKeyId"] == "" || body["SecretAccessKey"] == "" || body["Token"] == "" {
		t.Errorf("fields are missing: account %q, role %q", body["AccountId"], body["RoleArn"])
	}
	expiration, err := time.Parse("2006-01-02T15:04:05Z", body["Expiration"])
	if err != nil || time.Until(expiration) < 15*time.Minute {
		t.Errorf("Expiration %q: %v", body["Expiration"], err)
	}
}

func TestAzureToken(t *testing.T) {
	w := start(t, nil)
	shape := regexp.MustCompile(`^\{"access_token":"[^"]+","client_id":"` + client + `","expires_in":"\d+","expires_on":"\d+","not_before":"\d+","resource":"https://vault.azure.net","token_type":"Bearer"\}\n$`)
	for name, request := range map[string][]string{
		"App Service":                {azurePath, azureHeader},
		"App Service, its own id":    {azurePath + "&client_id=" + client, azureHeader},
		"IMDS":                       {imdsPath, imdsHeader},
		"IMDS, JavaScript's slash":   {strings.Replace(imdsPath, "token?", "token/?", 1), imdsHeader},
		"IMDS, Java's two slashes":   {"/" + imdsPath, imdsHeader},
		"IMDS, another letter case":  {strings.Replace(imdsPath, "/metadata", "/METADATA", 1), imdsHeader},
		"IMDS, Metadata in any case": {imdsPath, "Metadata: True"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.get(t, request[0], request[1])
			if got.status != 200 || !shape.MatchString(got.body) {
				t.Errorf("status %d, or not the fields in their order", got.status)
			}
		})
	}
}

func TestGCPMetadata(t *testing.T) {
	w := start(t, nil)
	const accounts = "/computeMetadata/v1/instance/service-accounts/"
	for path, want := range map[string]string{
		accounts:                             "^default/\n" + account + "/\n$",
		accounts + "default/email":           "^" + account + "$",
		accounts + account + "/scopes":       "^https://www.googleapis.com/auth/cloud-platform\n$",
		accounts + "default/aliases":         "^default\n$",
		accounts + "default/?recursive=true": `^\{"aliases":\["default"\],"email":"` + account + `","scopes":\["https://www.googleapis.com/auth/cloud-platform"\]\}` + "\n$",
		accounts + "?recursive=true":         `"default":\{`,
		accounts + account + "/token":        `^\{"access_token":"ya29[^"]+","expires_in":3[56]\d\d,"token_type":"Bearer"\}` + "\n$",
		gcpToken + "?scopes=https://www.googleapis.com/auth/devstorage.read_only": `"access_token":"ya29`,
		accounts + "default/identity?audience=https://x.example.com":              `^eyJ[\w-]+\.[\w-]+\.[\w-]+$`,
		"/computeMetadata/v1/project/project-id":                                  "^example-project$",
		"/computeMetadata/v1/project/numeric-project-id":                          "^123456789012$",
		"/computeMetadata/v1/universe/universe-domain":                            "^googleapis.com$",
		"/computeMetadata/v1/universe/universe_domain":                            "^googleapis.com$",
	} {
		t.Run(path, func(t *testing.T) {
			got := w.get(t, path, gcpHeader)
			if got.status != 200 || !regexp.MustCompile(want).MatchString(got.body) {
				t.Errorf("status %d, body of %d bytes does not match %s", got.status, len(got.body), want)
			}
			if got.header.Get("Metadata-Flavor") != "Google" || got.header.Get("Content-Type") == "" || got.header.Get("Server") == "" {
				t.Errorf("headers are missing: %v", got.header)
			}
		})
	}
	if got := w.get(t, "/"); got.status != 200 || got.header.Get("Metadata-Flavor") != "Google" {
		t.Errorf("the probe of / got %d", got.status)
	}
	if got := w.get(t, "/computeMetadata/v1/instance", gcpHeader); got.status != 301 || !strings.HasSuffix(got.header.Get("Location"), "/instance/") {
		t.Errorf("…/instance got %d to %q", got.status, got.header.Get("Location"))
	}
}

// TestOneExchange: 200 concurrent first requests make one, when it succeeds and
// when it fails.
func TestOneExchange(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trust.Config, *serviceaccount.Identities, *world)
		want   int
	}{
		"success": {nil, 200},
		"failure": {func(c *trust.Config, _ *serviceaccount.Identities, _ *world) { c.AWS.Roles = nil }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, test.change)
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					if got := w.get(t, awsPath, awsHeader); got.status != test.want {
						t.Errorf("status %d, want %d", got.status, test.want)
					}
				})
			}
			wg.Wait()
			if n := w.clouds.Faults.Count("aws"); n != 1 {
				t.Errorf("%d exchanges, want 1", n)
			}
		})
	}
}

// TestCausesAreShown: the cloud's own words and the hint reach the SDK, by the
// statuses that make SDKs show them.
func TestCausesAreShown(t *testing.T) {
	stranger := func(audience string) func(t *testing.T, w *world) issuer.Claims {
		return func(*testing.T, *world) issuer.Claims {
			return issuer.Claims{Namespace: "shop", ServiceAccount: "stranger", Pod: "p", Audience: audience}
		}
	}
	expired := func(audience string) func(t *testing.T, w *world) issuer.Claims {
		return func(*testing.T, *world) issuer.Claims {
			return issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience, IssuedAt: time.Now().Add(-3 * time.Hour)}
		}
	}
	elsewhere := func(audience string) func(t *testing.T, w *world) issuer.Claims {
		return func(*testing.T, *world) issuer.Claims {
			return issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience, Issuer: "https://elsewhere.example.com"}
		}
	}
	wrong := stranger("wrong")
	for name, test := range map[string]struct {
		token  string // which file is replaced
		claims func(*testing.T, *world) issuer.Claims
		path   string
		header string
		status int
		parts  []string
	}{
		"aws, wrong subject":   {"aws", stranger(aws.DefaultAudience), awsPath, awsHeader, 403, []string{"Not authorized to perform sts:AssumeRoleWithWebIdentity", "shop:stranger", ":sub"}},
		"aws, expired":         {"aws", expired(aws.DefaultAudience), awsPath, awsHeader, 503, []string{"expired", "clock"}},
		"aws, wrong audience":  {"aws", wrong, awsPath, awsHeader, 400, []string{"Incorrect token audience", "client IDs"}},
		"aws, unknown issuer":  {"aws", elsewhere(aws.DefaultAudience), awsPath, awsHeader, 400, []string{"No OpenIDConnect provider found in your account for https://elsewhere.example.com", "OIDC provider"}},
		"azure, wrong subject": {"azure", stranger(azure.DefaultAudience), azurePath, azureHeader, 403, []string{"AADSTS700213", "shop:stranger"}},
		"azure, wrong audience": {"azure", func(*testing.T, *world) issuer.Claims {
			return issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: "wrong"}
		}, azurePath, azureHeader, 400, []string{"AADSTS700212", azure.DefaultAudience}},
		"azure, unknown issuer": {"azure", elsewhere(azure.DefaultAudience), azurePath, azureHeader, 400, []string{"AADSTS700211", "elsewhere.example.com"}},
		"gcp, wrong subject":    {"gcp", stranger("//iam.googleapis.com/" + provider), gcpToken, gcpHeader, 400, []string{"iam.serviceAccounts.getAccessToken", "roles/iam.workloadIdentityUser", "shop:stranger"}},
		"gcp, wrong audience":   {"gcp", wrong, gcpToken, gcpHeader, 400, []string{"does not match the expected audience", "allowed audiences"}},
		"gcp, expired":          {"gcp", expired("//iam.googleapis.com/" + provider), gcpToken, gcpHeader, 503, []string{"expired", "clock"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, func(_ *trust.Config, _ *serviceaccount.Identities, w *world) {
				w.issuer.Write(t, filepath.Join(w.tokens, test.token), test.claims(t, w))
			})
			got := w.get(t, test.path, test.header)
			if got.status != test.status {
				t.Errorf("status %d, want %d", got.status, test.status)
			}
			for _, part := range test.parts {
				if !strings.Contains(got.body, part) {
					t.Errorf("the answer does not say %q: %s", part, got.body)
				}
			}
			if !strings.Contains(w.logs.String(), `"kind":`) {
				t.Error("the log does not tell")
			}
		})
	}
}

// TestTransient: 5xx and throttling of the clouds are 503 and 429 here, a hang is
// answered within the SDKs' patience, and all of it passes.
func TestTransient(t *testing.T) {
	for name, test := range map[string]struct {
		fault  fault.Fault
		path   string
		header string
		status int
		within time.Duration
	}{
		"aws, 503":         {fault.Fault{Operation: "aws", Status: 503, Body: "down"}, awsPath, awsHeader, 503, time.Second},
		"aws, hang":        {fault.Fault{Operation: "aws", Hang: true}, awsPath, awsHeader, 503, 1500 * time.Millisecond},
		"azure, throttled": {fault.Fault{Operation: "azure", Status: 429, RetryAfter: 1, Body: `{"error":"temporarily_unavailable","error_description":"slow down"}`}, azurePath, azureHeader, 429, 5 * time.Second},
		"azure, hang":      {fault.Fault{Operation: "azure", Hang: true}, azurePath, azureHeader, 503, 3 * time.Second},
		"gcp, garbage":     {fault.Fault{Operation: "gcp-sts", Status: 502, Body: "<html>"}, gcpToken, gcpHeader, 503, 3 * time.Second},
		"gcp, hang":        {fault.Fault{Operation: "gcp-iam", Hang: true}, gcpToken, gcpHeader, 503, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, func(_ *trust.Config, _ *serviceaccount.Identities, w *world) {
				// Prefetch fails at once without a token, and meets no fault that way.
				for _, c := range []string{"aws", "gcp", "azure"} {
					if err := os.Rename(filepath.Join(w.tokens, c), filepath.Join(w.tokens, c+".later")); err != nil {
						t.Fatal(err)
					}
				}
			})
			w.clouds.Faults.Set(test.fault)
			for _, c := range []string{"aws", "gcp", "azure"} {
				if err := os.Rename(filepath.Join(w.tokens, c+".later"), filepath.Join(w.tokens, c)); err != nil {
					t.Fatal(err)
				}
			}
			var began time.Time
			var got answer
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				began = time.Now()
				// 400 until the pause after the first failure, the missing file, is over.
				if got = w.get(t, test.path, test.header); got.status != 400 {
					break
				}
			}
			if got.status != test.status || got.header.Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q, want %d: %s", got.status, got.header.Get("Retry-After"), test.status, got.body)
			}
			if took := time.Since(began); took > test.within {
				t.Errorf("answered after %s, want within %s", took, test.within)
			}
			w.clouds.Faults.Clear()
			for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
				if got = w.get(t, test.path, test.header); got.status == 200 {
					return
				}
				if time.Now().After(end) {
					t.Fatalf("not recovered: %d %s", got.status, got.body)
				}
			}
		})
	}
}

// TestNothingSecretIsShown: by the logs at debug level, by metrics and by the
// explanation, after all kinds of requests.
func TestNothingSecretIsShown(t *testing.T) {
	w := start(t, registered(nil))
	var given []string
	for _, r := range [][]string{{awsPath, awsHeader}, {azurePath, azureHeader}, {gcpToken, gcpHeader}, {oidcPath + "registry", oidcHeader}, {awsPath, "Authorization: guess"}} {
		for _, m := range regexp.MustCompile(`"(?:SecretAccessKey|Token|access_token)":"([^"]+)"`).FindAllStringSubmatch(w.get(t, r[0], r[1]).body, -1) {
			given = append(given, m[1])
		}
	}
	if len(given) != 5 {
		t.Fatalf("%d secrets were given, want 5: there is nothing to check", len(given))
	}
	for _, c := range []string{"aws", "gcp", "azure", "oidc-registry"} {
		token, err := os.ReadFile(filepath.Join(w.tokens, c))
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, string(token))
	}
	w.clouds.Faults.Set(fault.Fault{Operation: "azure", Status: 400})
	if got := w.get(t, azurePath+"/elsewhere", azureHeader); got.status == http.StatusOK {
		t.Errorf("the failure did not come: %d", got.status)
	}
	explanation, err := json.Marshal(explained(t, w))
	if err != nil {
		t.Fatal(err)
	}
	shown := w.logs.String() + scrape(t, w) + string(explanation)
	for _, s := range append(given, secret) {
		if strings.Contains(shown, s) {
			t.Errorf("a secret that begins with %.6s is shown", s)
		}
		if _, signature, ok := strings.Cut(s, "."); ok && strings.Contains(shown, signature[strings.LastIndexByte(signature, '.')+1:]) {
			t.Errorf("the signature of a token that begins with %.6s is shown", s)
		}
	}
}

func TestConfigurationProblemsAreAllNamed(t *testing.T) {
	_, err := broker.New(broker.Config{
		Identities: `{"aws":{"rolearm":"x"}}`, Listen: "0.0.0.0:9911", AWSSTSEndpoint: "http://sts.example.com", CABundle: "/does/not/exist",
		LogLevel: "loud", LogFormat: "json",
	}, io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"identities: ", "rolearm", "not a loopback address", "PODPASS_SECRET", "aws-sts-endpoint: ", "must be https", "ca-bundle: ", "log-level: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

// TestIdentitiesAreValidated: at load, all problems of all clouds at once, and nothing
// after the JSON.
func TestIdentitiesAreValidated(t *testing.T) {
	for name, test := range map[string]struct {
		identities string
		want       []string
	}{
		"text after it": {`{"aws":{"roleARN":"` + role + `","audience":"a"}} {"gcp":{}}`, []string{"text after the JSON"}},
		"a brace":       {`{"aws":{"roleARN":"` + role + `","audience":"a"}}}`, []string{"text after the JSON"}},
		"nothing":       {`{}`, []string{"none of aws, gcp, azure, oidc"}},
		"all clouds": {`{"aws":{"roleARN":"x","region":"y"},"gcp":{"provider":"x"},"azure":{"clientID":"x","tenantID":"y"},"oidc":{"sources":[{"name":"X"},{"name":"a","tokenURL":"https://a.example.com","audience":"a"},{"name":"a","tokenURL":"https://a.example.com","audience":"a"}]}}`,
			[]string{"aws: roleARN: ", "region: ", "gcp: provider: ", "azure: clientID: ", "tenantID: ", `token source "X": `, `token source "a": is there twice`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := broker.New(broker.Config{Identities: test.identities, Listen: "127.0.0.1:1", Secret: "x", LogLevel: "info", LogFormat: "json", AzureProbeResource: "a b"}, io.Discard)
			for _, want := range append(test.want, "azure-probe-resource: ") {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// TestConfiguration: each value is read as it is documented, up to its bound; what is
// wrong is named.
func TestConfiguration(t *testing.T) {
	identities := `{"aws":{"roleARN":"` + role + `","audience":"a"}}`
	file := func(size int) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(identities+strings.Repeat(" ", size-len(identities))), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		change func(*broker.Config)
		says   string // "": it is good
	}{
		"as it is":               {func(*broker.Config) {}, ""},
		"no identities":          {func(c *broker.Config) { c.Identities = "" }, "PODPASS_IDENTITIES"},
		"white space first":      {func(c *broker.Config) { c.Identities = "\n " + identities }, ""},
		"a file":                 {func(c *broker.Config) { c.Identities = file(1 << 20) }, ""},
		"a large file":           {func(c *broker.Config) { c.Identities = file(1<<20 + 1) }, "is larger than 1048576 bytes"},
		"no file":                {func(c *broker.Config) { c.Identities = "/does/not/exist" }, "identities: open /does/not/exist"},
		"no JSON":                {func(c *broker.Config) { c.Identities = "{" }, "identities: not the JSON"},
		"no address":             {func(c *broker.Config) { c.Listen = "127.0.0.1" }, "is not host:port"},
		"a name":                 {func(c *broker.Config) { c.Listen = "localhost:9911" }, "is not a loopback address"},
		"IPv6":                   {func(c *broker.Config) { c.Listen = "[::1]:9911" }, ""},
		"strict start":           {func(c *broker.Config) { c.StrictStart = "true" }, ""},
		"strict start, no truth": {func(c *broker.Config) { c.StrictStart = "x" }, `strict-start: "x" is neither true nor false`},
		"IMDS, no truth":         {func(c *broker.Config) { c.AWSIMDS = "x" }, `aws-imds: "x" is neither true nor false`},
		"no certificate":         {func(c *broker.Config) { c.CABundle = "-----BEGIN x" }, "ca-bundle: "},
		"GCP STS":                {func(c *broker.Config) { c.GCPSTSEndpoint = "http://a.example.com" }, "gcp-sts-endpoint: "},
		"GCP IAM":                {func(c *broker.Config) { c.GCPIAMCredentialsEndpoint = "http://a.example.com" }, "gcp-iam-credentials-endpoint: "},
		"Entra":                  {func(c *broker.Config) { c.AzureAuthorityHost = "http://a.example.com" }, "azure-authority-host: "},
		"endpoints": {func(c *broker.Config) {
			c.GCPSTSEndpoint, c.AWSSTSEndpoint = "https://a.example.com", "http://127.0.0.1:1"
		}, ""},
		"instance":    {func(c *broker.Config) { c.GCPInstanceID, c.GCPInstanceZone = "18446744073709551615", "europe-west3-a" }, ""},
		"no number":   {func(c *broker.Config) { c.GCPInstanceID = "18446744073709551616" }, "gcp-instance-id: "},
		"no zone":     {func(c *broker.Config) { c.GCPInstanceZone = "x" }, "gcp-instance-zone: "},
		"universe":    {func(c *broker.Config) { c.GCPUniverseDomain = "example.com" }, ""},
		"no universe": {func(c *broker.Config) { c.GCPUniverseDomain = "a b" }, "gcp-universe-domain: "},
		"a resource":  {func(c *broker.Config) { c.AzureProbeResource = "api://orders" }, ""},
		"text":        {func(c *broker.Config) { c.LogFormat = "text" }, ""},
		"no format":   {func(c *broker.Config) { c.LogFormat = "xml" }, `log-format: "xml" is neither json nor text`},
		"no level":    {func(c *broker.Config) { c.LogLevel = "loud" }, "log-level: "},
	} {
		c := broker.Config{Identities: identities, Listen: "127.0.0.1:9911", Secret: "x", LogLevel: "info", LogFormat: "json"}
		test.change(&c)
		_, err := broker.New(c, io.Discard)
		if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestManyConnections: an application that opens connections and keeps them does not lock
// the pod's other containers out: the one that is idle for the longest makes room.
func TestManyConnections(t *testing.T) {
	const bound = 1024
	w := start(t, nil)
	address := strings.TrimPrefix(w.url, "http://")
	var kept []net.Conn
	defer func() {
		for _, c := range kept {
			_ = c.Close()
		}
	}()
	request := "GET " + broker.HealthPath + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n"
	served := func(c net.Conn) bool {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(c, request); err != nil {
			return false
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		return err == nil && strings.Contains(line, "200 OK")
	}
	for n := range bound + 100 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, c)
		if !served(c) {
			t.Fatalf("connection %d is not served", n+1)
		}
	}
	// An answer is read before the server has put its connection among the quiet ones, so
	// that which comes first is not certain to a place or two.
	open := 0
	for n, c := range kept {
		switch is := served(c); {
		case is:
			open++
		case n >= bound/2:
			t.Errorf("connection %d is closed", n+1)
		}
	}
	if open != bound {
		t.Errorf("%d connections are open, want %d", open, bound)
	}
}
