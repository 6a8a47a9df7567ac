package trustkube

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
	"github.com/podpass-io/podpass/test/cluster"
)

// apiServer is a real one that reads its AuthenticationConfiguration while it runs.
type apiServer struct {
	*cluster.Cluster
	admin  kubernetes.Interface
	client *http.Client
	file   string
}

// startServer starts one with a configuration.
func startServer(t *testing.T, configuration []byte) *apiServer {
	t.Helper()
	s := newServer(t)
	s.write(t, configuration)
	s.restart(t, "--authentication-config="+s.file)
	return s
}

// newServer starts one that trusts nobody yet.
func newServer(t *testing.T) *apiServer {
	t.Helper()
	dir := t.TempDir()
	s := &apiServer{
		Cluster: cluster.Start(t, cluster.Options{Dir: filepath.Join(dir, "kube"), ControlPlaneOnly: true}),
		file:    filepath.Join(dir, "authentication.yaml"),
	}
	s.admin = s.Client(t)
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return s
}

func (s *apiServer) restart(t *testing.T, flags ...string) {
	t.Helper()
	if err := s.Restart(t.Context(), "kube-apiserver", false, flags...); err != nil {
		t.Fatalf("the API server does not start with %q: %v", flags, err)
	}
}

// write puts a configuration in the file's place, whole.
func (s *apiServer) write(t *testing.T, configuration []byte) {
	t.Helper()
	next := s.file + ".next"
	if err := os.WriteFile(next, configuration, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, s.file); err != nil {
		t.Fatal(err)
	}
}

var reloads = regexp.MustCompile(`(?m)^apiserver_authentication_config_controller_automatic_reloads_total\{.*status="(\w+)".*\} (\d+)$`)

// counted are the reloads that succeeded and failed so far.
func (s *apiServer) counted(t *testing.T) (success, failure int) {
	t.Helper()
	raw, err := s.admin.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range reloads.FindAllSubmatch(raw, -1) {
		n, err := strconv.Atoi(string(m[2]))
		if err != nil {
			t.Fatal(err)
		}
		if string(m[1]) == "success" {
			success = n
		} else {
			failure = n
		}
	}
	return success, failure
}

// reload has the server read a configuration, and reports whether it took it. The server
// looks at once when the file changes, and each minute.
func (s *apiServer) reload(t *testing.T, configuration []byte) bool {
	t.Helper()
	success, failure := s.counted(t)
	s.write(t, configuration)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); <-tick.C {
		switch taken, refused := s.counted(t); {
		case taken > success:
			return true
		case refused > failure:
			return false
		}
	}
	t.Fatal("the API server did not read the configuration")
	return false
}

// whoami asks who the bearer of a token is; nil: 401.
func (s *apiServer) whoami(t *testing.T, token string) *kubetrust.User {
	t.Helper()
	review := []byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Server+"/apis/authentication.k8s.io/v1/selfsubjectreviews", bytes.NewReader(review))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return nil
	case http.StatusCreated:
	default:
		t.Fatalf("the API server answers %d: %s", answer.StatusCode, body)
	}
	var got authenticationv1.SelfSubjectReview
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(fmt.Errorf("SelfSubjectReview: %w", err))
	}
	u := got.Status.UserInfo
	user := &kubetrust.User{Username: u.Username, UID: u.UID, Groups: u.Groups}
	for key, values := range u.Extra {
		if user.Extra == nil {
			user.Extra = map[string][]string{}
		}
		user.Extra[key] = values
	}
	return user
}
