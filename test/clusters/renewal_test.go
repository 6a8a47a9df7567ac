package clusters

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var errStill = errors.New("still")

// whoami is kubectl's answer.
func (w *world) whoami(t *testing.T, kubeconfig string) user {
	t.Helper()
	out, err := w.kubectl(t, kubeconfig, "auth", "whoami", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var review struct {
		Status struct{ UserInfo user }
	}
	if err := json.Unmarshal([]byte(out), &review); err != nil {
		t.Fatal(err)
	}
	return review.Status.UserInfo
}

// renewed: what docs/clusters.md says of a token that kubelet replaces while a client runs.
// Where a later version of a client reads it by itself, the page is to be changed.
func (w *world) renewed(t *testing.T, kubeconfig string) {
	node, program := javascript(t)
	api := clientGo(t, kubeconfig, "")
	python, js := python(t, kubeconfig), dialogue(t, kubeconfig, node, program)
	former := ask(t, api).token()
	for name, client := range map[string]func(*testing.T, string) user{"Python": python, "JavaScript": js} {
		if got := client(t, "prod-us").token(); got != former || got == "" {
			t.Fatalf("%s begins with the token %q, client-go with %q", name, got, former)
		}
	}
	replace(t, w.tokenFile("orders"), w.token(t, "orders", audience))
	now := w.whoami(t, kubeconfig).token()
	if now == former {
		t.Error("kubectl has the former token")
	}
	took := eventually(t, 90*time.Second, "client-go goes on with the former token", func() error {
		if got := ask(t, api).token(); got != now {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	t.Logf("client-go had the new token after %v", took)
	for name, client := range map[string]func(*testing.T, string) user{"Python": python, "JavaScript": js} {
		if got := client(t, "prod-us").token(); got != former {
			t.Errorf("%s reads the file by itself", name)
		}
		client(t, "load")
		if got := client(t, "prod-us").token(); got != now {
			t.Errorf("%s has not the new token after it has loaded the kubeconfig again", name)
		}
	}
}

// withoutPause: neither a new key of prod-eu's, nor what prod-us reads anew, costs a
// request.
func (w *world) withoutPause(t *testing.T, kubeconfig string) {
	var asking sync.WaitGroup
	done := make(chan struct{})
	failed := make(chan error, 1000)
	asked := make([]int, 4)
	var apis []kubernetes.Interface
	for i := range asked {
		api := clientGo(t, kubeconfig, "")
		apis = append(apis, api)
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := list(t, api); err != nil {
					failed <- err
				}
				asked[i]++
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	// Both keys are published, and the second signs. Kept keys are good for an hour, by the
	// Cache-Control of prod-eu's API server: nothing takes the second until then, or until
	// the configuration is read anew.
	former, err := os.ReadFile(filepath.Join(w.eu.Dir, "pki", "service-account.key"))
	if err != nil {
		t.Fatal(err)
	}
	next := signer(t)
	keys, signing := filepath.Join(w.dir, "keys.pem"), filepath.Join(w.dir, "next.pem")
	replace(t, keys, string(former)+next.pem())
	replace(t, signing, next.pem())
	if err := w.eu.Restart(t.Context(), "kube-apiserver", false, "--service-account-key-file="+keys, "--service-account-signing-key-file="+signing); err != nil {
		t.Fatal(err)
	}
	token := w.token(t, "orders", audience)
	if keyID(t, token) == keyID(t, readFile(t, w.tokenFile("orders"))) {
		t.Error("the key is the former one")
	}
	if got := ask(t, bearer(t, w.us, token)); got.Code != 401 {
		t.Errorf("a token of the new key: %+v; docs/clusters.md says that keys are kept", got)
	}
	before := w.reloads(t)
	replace(t, w.authentication, strings.Replace(readFile(t, w.authentication), "a name of this cluster's own", "a name of prod-us's own", 1))
	reloaded := eventually(t, 3*time.Minute, "prod-us does not read its configuration anew", func() error {
		if w.reloads(t) == before {
			return errStill
		}
		return nil
	})
	if err := list(t, bearer(t, w.us, token)); err != nil {
		t.Errorf("a token of the new key, after the configuration was read anew: %v", err)
	}
	replace(t, w.tokenFile("orders"), token)
	now := ask(t, bearer(t, w.us, token)).token()
	eventually(t, 90*time.Second, "clients go on with the former key", func() error {
		if got := ask(t, apis[0]).token(); got != now {
			return errStill
		}
		return nil
	})
	close(done)
	asking.Wait()
	close(failed)
	total := 0
	for _, n := range asked {
		total += n
	}
	t.Logf("%d requests; the configuration was read again after %v", total, reloaded)
	if total < 100 {
		t.Errorf("only %d requests", total)
	}
	for err := range failed {
		t.Errorf("a request failed: %v", err)
	}
}

func list(t *testing.T, api kubernetes.Interface) error {
	_, err := api.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{Limit: 1})
	return err
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
