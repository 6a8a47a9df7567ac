package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/trust"
	kube "github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/testbed"
)

// What a day is elsewhere takes seconds here. A cloud keeps the keys that it has fetched for
// cacheLife, whatever comes; pods renew their tokens each renewal, so that none in use is
// older than tokenLife while the API server answers.
const (
	cacheLife = 5 * time.Second
	cacheWait = 15 * time.Second
	renewal   = 2 * time.Second
	tokenLife = 45 * time.Second
)

// TestClusterRotate: the signing key of a real API server is changed, its issuer published in
// a real S3, with three clouds that read it there and pods that exchange tokens at each all
// the while; podpass is killed before and after each write, and in between. No exchange fails.
func TestClusterRotate(t *testing.T) {
	c := kube.Start(t, kube.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	store := testbed.StartStore(t, "issuer")
	r := newRotation(t, c, store)

	// The cluster gets the store as its issuer. The former one stays good within it.
	r.restart("--service-account-issuer="+r.issuer, "--service-account-jwks-uri="+r.issuer+"/openid/v1/jwks")
	if out, errs, err := r.podpass("publish", "--to", r.place, "--approve"); err != nil {
		t.Fatalf("publish: %v\n%s%s", err, out, errs)
	}
	if out, errs, err := r.podpass("verify", "--context=podpass"); err != nil {
		t.Fatalf("verify: %v\n%s%s", err, out, errs)
	}

	pods := startPods(t, c, r.issuer, store.CAFile)
	pods.until(t, func(n counts) bool {
		return n["aws "+r.oldKey] > 0 && n["gcp "+r.oldKey] > 0 && n["azure "+r.oldKey] > 0
	})
	old := pods.token(aws.DefaultAudience)

	phases := r.run(pods)
	if diff := cmp.Diff([]string{"publish", "caches", "switch", "tokens", "drop", "done"}, phases); diff != "" {
		t.Errorf("phases that were seen: %s", diff)
	}
	pods.until(t, func(n counts) bool {
		return n["aws "+r.newKey] > 0 && n["gcp "+r.newKey] > 0 && n["azure "+r.newKey] > 0
	})
	for _, failure := range pods.stop() {
		t.Errorf("an exchange failed: %s", failure)
	}
	t.Logf("exchanges: %v; podpass was killed %d times", pods.counts(), r.killed)
	// Before and after the write that adds the key, and the one that drops the other; how
	// many come on top by time is the machine's.
	if r.killed < 4 {
		t.Errorf("podpass was killed %d times only", r.killed)
	}

	// The old key is gone for good, and nothing but the two objects is there.
	time.Sleep(cacheLife + time.Second)
	if _, err := pods.aws(fixed{old}).Exchange(t.Context()); !ofKind(err, federation.KindIssuerUntrusted) {
		t.Errorf("a token of the old key: %v", err)
	}
	objects, err := store.Objects()
	if diff := cmp.Diff([]string{".well-known/openid-configuration", "openid/v1/jwks"}, objects); diff != "" || err != nil {
		t.Errorf("objects: %v %s", err, diff)
	}
	if out, errs, err := r.podpass("verify", "--context=podpass", "-o", "json"); strings.Contains(out, `"severity": "error"`) {
		t.Errorf("verify: %v\n%s%s", err, out, errs)
	}
}

func ofKind(err error, k federation.Kind) bool {
	e, ok := errors.AsType[*federation.Error](err)
	return ok && e.Kind == k
}

// rotation is a person with a cluster, a store, and podpass.
type rotation struct {
	t              *testing.T
	c              *kube.Cluster
	store          testbed.Store
	issuer, place  string
	reaper         *reaper
	env            []string
	dir            string
	oldKey, newKey string // kids
	killed         int
}

func newRotation(t *testing.T, c *kube.Cluster, store testbed.Store) *rotation {
	t.Helper()
	r := &rotation{t: t, c: c, store: store, issuer: store.URL + "/" + store.Bucket, dir: t.TempDir()}
	r.reaper = startReaper(t, store)
	r.place = "s3://" + store.Bucket + "?endpoint=" + r.reaper.url
	r.env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+store.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+store.SecretAccessKey, "AWS_SESSION_TOKEN=", "AWS_REGION=")
	if _, err := c.Kubectl(t.Context(), "create", "serviceaccount", "orders"); err != nil {
		t.Fatal(err)
	}
	// One API server, as the Endpoints of a real control plane say: one look is enough.
	if _, err := c.Client(t).DiscoveryV1().EndpointSlices("default").Create(t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.10"}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r.publicHalf("service-account")
	fresh, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r.write("sa-2026.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(fresh))
	r.publicHalf("sa-2026")
	r.oldKey, r.newKey = r.kid("service-account"), r.kid("sa-2026")
	return r
}

func (r *rotation) pki(file string) string { return filepath.Join(r.c.Dir, "pki", file) }

func (r *rotation) write(file, kind string, der []byte) {
	r.t.Helper()
	if err := os.WriteFile(r.pki(file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// publicHalf is what openssl rsa -pubout does on the control plane.
func (r *rotation) publicHalf(name string) {
	r.t.Helper()
	raw, err := os.ReadFile(r.pki(name + ".key"))
	if err != nil {
		r.t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(name+".pub", "PUBLIC KEY", der)
}

func (r *rotation) kid(name string) string {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), "podpass", "issuer", "build", "--issuer", r.issuer, r.pki(name+".pub"), "-o", "jwks").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(out, &set); err != nil || len(set.Keys) != 1 {
		r.t.Fatalf("%v: %s", err, out)
	}
	return set.Keys[0].Kid
}

// podpass runs podpass issuer as a process of its own.
func (r *rotation) podpass(args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 3*time.Minute)
	defer cancel()
	args = append([]string{"issuer", args[0], "--kubeconfig", r.c.Kubeconfig, "--issuer-ca", r.store.CAFile}, args[1:]...)
	if args[1] != "verify" {
		args = append(args, "--store-ca", r.reaper.caFile)
	}
	cmd := exec.CommandContext(ctx, "podpass", args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, &out, &errs
	if err := cmd.Start(); err != nil {
		return "", "", err
	}
	r.reaper.watch(cmd.Process)
	err = cmd.Wait()
	r.reaper.watch(nil)
	return out.String(), errs.String(), err
}

// restart starts the API server with other flags, and the cluster's own issuer after
// those that are given. On a machine that is too busy an API server gives up while it
// starts; whatever supervises it starts it again.
func (r *rotation) restart(flags ...string) {
	r.t.Helper()
	i := slices.IndexFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--service-account-issuer=") })
	flags = slices.Insert(slices.Clone(flags), i+1, "--service-account-issuer="+r.c.Issuer)
	var err error
	for range 3 {
		if err = r.c.Restart(r.t.Context(), "kube-apiserver", false, flags...); err == nil {
			return
		}
		r.t.Logf("the API server is started again: %.200s", err.Error())
	}
	r.t.Fatal(err)
}

// rotationStatus is what podpass issuer rotate -o json says.
type rotationStatus struct {
	Phase     string
	APIServer []string `json:"apiServer"`
	Findings  []struct{ Code, Severity, Message string }
}

// run takes the rotation to its end, doing what podpass says and killing it on the way,
// and gives the phases in which it stood.
func (r *rotation) run(pods *pods) (phases []string) {
	state := filepath.Join(r.dir, "rotation.json")
	args := []string{"rotate", "--state", state, "--new-key", r.pki("sa-2026.pub"), "--to", r.place, "--pki-dir", filepath.Dir(r.pki("x")), "--old-name", "service-account",
		"--cache-wait", cacheWait.String(), "--token-life", tokenLife.String(), "-o", "json", "--approve"}
	var flags []string
	timely := false // each second run is killed by time, within what a whole one takes
	whole := time.Second
	for end := time.Now().Add(20 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		var after time.Duration
		if timely = !timely; timely {
			after = someTime(r.t, whole)
		}
		r.reaper.arm(after)
		began := time.Now()
		out, errs, err := r.podpass(args...)
		took, killed := time.Since(began), r.reaper.disarm()
		phases = appendNew(phases, r.phase(state))
		if killed {
			r.killed++
			continue
		}
		whole = took
		var s rotationStatus
		if json.Unmarshal([]byte(out), &s) != nil {
			r.t.Fatalf("rotate: %v\n%s%s", err, out, errs)
		}
		for _, f := range s.Findings {
			if f.Severity == "error" {
				r.t.Errorf("in phase %s: %s %s", s.Phase, f.Code, f.Message)
			}
		}
		if phases = appendNew(phases, s.Phase); s.Phase == "done" {
			return phases
		}
		if s.Phase != "tokens" && s.Phase != "drop" && !slices.Equal(flags, s.APIServer) {
			flags = s.APIServer
			r.t.Logf("in phase %s the API server gets the flags %v; exchanges so far: %v", s.Phase, flags, pods.counts())
			r.restart(flags...)
		}
	}
	r.t.Fatalf("no end; phases: %v", phases)
	return nil
}

// phase is that of the state file, which is whole at any time, if it is there.
func (r *rotation) phase(file string) string {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	var s struct{ Phase string }
	if err := errors.Join(err, json.Unmarshal(raw, &s)); err != nil {
		r.t.Errorf("state file: %v", err)
	}
	return s.Phase
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// someTime is some moment of a run that takes whole.
func someTime(t *testing.T, whole time.Duration) time.Duration {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(int64(whole)+1))
	if err != nil {
		t.Fatal(err)
	}
	return time.Millisecond + time.Duration(n.Int64())
}

// pods are processes that trade tokens at three clouds all the while. Like kubelet they
// renew tokens early, and keep the last one while the API server cannot be asked.
type pods struct {
	client kubernetes.Interface
	clouds *cloud.Clouds
	http   *http.Client
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	tokens   map[string]federation.SubjectToken // by audience
	made     counts
	failures []string
}

// counts are successes by cloud and kid.
type counts map[string]int

const (
	gcpProvider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	azureTenant = "99999999-8888-7777-6666-555555555555"
	azureClient = "11111111-2222-3333-4444-555555555555"
	rotateRole  = "arn:aws:iam::111122223333:role/orders"
)

func startPods(t *testing.T, c *kube.Cluster, issuer, issuerCA string) *pods {
	t.Helper()
	const subject = "system:serviceaccount:default:orders"
	p := &pods{client: c.Client(t), tokens: map[string]federation.SubjectToken{}, made: counts{}}
	p.clouds = cloud.Start(t, trust.Config{
		Issuers: []trust.Issuer{{URL: issuer, CAFile: issuerCA, CacheSeconds: int(cacheLife.Seconds())}},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: "111122223333", Issuer: issuer, Audiences: []string{aws.DefaultAudience}}},
			Roles:     []trust.AWSRole{{ARN: rotateRole, Issuer: issuer, Audiences: []string{aws.DefaultAudience}, Subjects: []string{subject}}},
		},
		GCP: trust.GCP{Providers: []trust.GCPProvider{{Name: gcpProvider, Issuer: issuer, AllowedAudiences: []string{"gcp"}}}},
		Azure: trust.Azure{Tenants: []trust.Tenant{{ID: azureTenant, Applications: []trust.Application{{
			ClientID: azureClient, FederatedCredentials: []trust.FederatedCredential{{Issuer: issuer, Subject: subject, Audience: azure.DefaultAudience}},
		}}}}},
	})
	ca, err := os.ReadFile(p.clouds.CAFile)
	if err == nil {
		p.http, err = endpoint.NewClient(ca)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.cancel = cancel
	t.Cleanup(func() { p.stop() })
	for _, audience := range []string{aws.DefaultAudience, "gcp", azure.DefaultAudience} {
		if err := p.renew(ctx, audience); err != nil {
			t.Fatal(err)
		}
		p.done.Go(func() { p.kubelet(ctx, audience) })
	}
	for name, with := range map[string]func(federation.TokenSource) federation.Exchanger{"aws": p.aws, "gcp": p.gcp, "azure": p.azure} {
		p.done.Go(func() { p.exchange(ctx, name, with) })
	}
	return p
}

func (p *pods) kubelet(ctx context.Context, audience string) {
	for wait(ctx, renewal) {
		_ = p.renew(ctx, audience) // the last token stays
	}
}

func (p *pods) renew(ctx context.Context, audience string) error {
	token, err := cluster.TokenRequest{Client: p.client, Namespace: "default", ServiceAccount: "orders", Audience: audience}.SubjectToken(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[audience] = token
	return nil
}

func (p *pods) exchange(ctx context.Context, name string, with func(federation.TokenSource) federation.Exchanger) {
	audience := map[string]string{"aws": aws.DefaultAudience, "gcp": "gcp", "azure": azure.DefaultAudience}[name]
	for wait(ctx, 300*time.Millisecond) {
		token := p.token(audience)
		_, err := with(fixed{token}).Exchange(ctx)
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		if p.made[name+" "+token.KeyID]++; err != nil {
			p.made[name+" "+token.KeyID]--
			p.failures = append(p.failures, fmt.Sprintf("%s at %s with kid %s: %v", name, time.Now().Format(time.TimeOnly), token.KeyID, err))
		}
		p.mu.Unlock()
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (p *pods) token(audience string) federation.SubjectToken {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens[audience]
}

func (p *pods) counts() counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := counts{}
	for k, v := range p.made {
		n[k] = v
	}
	return n
}

// until waits for the pods to have got somewhere.
func (p *pods) until(t *testing.T, there func(counts) bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !there(p.counts()); {
		if time.Now().After(end) {
			t.Fatalf("the pods came as far as %v; failures: %v", p.counts(), p.failed())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (p *pods) failed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures
}

// stop ends them, and gives what has failed.
func (p *pods) stop() []string {
	p.cancel()
	p.done.Wait()
	return p.failed()
}

// fixed is a source of one token.
type fixed struct{ token federation.SubjectToken }

// SubjectToken implements federation.TokenSource.
func (f fixed) SubjectToken(context.Context) (federation.SubjectToken, error) { return f.token, nil }

func (p *pods) aws(s federation.TokenSource) federation.Exchanger {
	return (&aws.Client{Identity: aws.Identity{RoleARN: rotateRole, Audience: aws.DefaultAudience}, Token: s, Endpoint: p.clouds.AWS, HTTP: p.http}).Credentials()
}

func (p *pods) gcp(s federation.TokenSource) federation.Exchanger {
	return (&gcp.Client{
		Identity: gcp.Identity{Provider: "//iam.googleapis.com/" + gcpProvider, Audience: "gcp"}, Token: s,
		Endpoints: gcp.Endpoints{STS: p.clouds.GCP, IAMCredentials: p.clouds.GCP}, HTTP: p.http,
	}).AccessToken(nil)
}

func (p *pods) azure(s federation.TokenSource) federation.Exchanger {
	return (&azure.Client{
		Identity: azure.Identity{ClientID: azureClient, TenantID: azureTenant, Audience: azure.DefaultAudience}, Token: s, AuthorityHost: p.clouds.Azure, HTTP: p.http,
	}).AccessToken("https://vault.azure.net", "")
}
