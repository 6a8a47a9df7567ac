package sdks

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/program"
)

// broker is a running podpass-broker, the real binary.
type broker struct {
	address string // 127.0.0.1:port
	secret  string
	log     *program.Log
}

// binary is the path of a podpass-broker.
type binary string

func buildBroker(t *testing.T) binary {
	t.Helper()
	dir := t.TempDir()
	if err := program.Build(t.Context(), dir, "github.com/podpass-io/podpass/cmd/podpass-broker"); err != nil {
		t.Fatal(err)
	}
	return binary(filepath.Join(dir, "podpass-broker"))
}

// start runs the broker with the world's identities and tokens, waits until it
// listens, and stops it when the test ends: SIGTERM must end it with status 0.
func (bin binary) start(t *testing.T, w *world) broker {
	t.Helper()
	return bin.startAt(t, w, program.Address(t))
}

// podUID is the secret of the pod that all tests are about.
const podUID = "6f0c1b6a-0d0e-4e5b-9a57-0f7c6a5f1d11"

func (bin binary) startAt(t *testing.T, w *world, address string) broker {
	t.Helper()
	b := bin.startIn(t, w, address, nil, nil)
	b.wait(t, "/healthz")
	return b
}

// startIn starts the broker by another command, such as one that enters a network, with
// further variables.
func (bin binary) startIn(t *testing.T, w *world, address string, by, variables []string) broker {
	t.Helper()
	text, err := json.Marshal(orders.Identities())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "identities.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b := broker{address: address, secret: podUID, log: new(program.Log)}
	args := append(by[:len(by):len(by)], string(bin),
		"--identities", file, "--listen", b.address, "--secret", b.secret, "--token-dir", w.dir,
		"--aws-sts-endpoint", w.clouds.AWS,
		"--gcp-sts-endpoint", w.clouds.GCP, "--gcp-iam-credentials-endpoint", w.clouds.GCP,
		"--azure-authority-host", w.clouds.Azure,
		"--ca-bundle", w.clouds.CAFile, "--log-level", "debug", "--log-format", "json", "--aws-imds", "true")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stdout, cmd.Stderr = b.log, b.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-exited:
			if err != nil {
				t.Errorf("podpass-broker: %v; its log:\n%s", err, b.log)
			}
		case <-time.After(15 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("podpass-broker did not stop within 15 s; its log:\n%s", b.log)
		}
		w.secretFree(t, "podpass-broker's log", b.log.String())
	})
	return b
}

// startReady is start, and waits for the first credential of each identity, or a
// definitive no, as the startup probe does.
func (bin binary) startReady(t *testing.T, w *world) broker {
	t.Helper()
	b := bin.start(t, w)
	b.wait(t, "/readyz")
	return b
}

func (b broker) wait(t *testing.T, path string) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get("http://" + b.address + path)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("podpass-broker does not answer %s with 200; its log:\n%s", path, b.log)
}

// env is what the webhook sets in the application's containers (docs of the three
// clouds' broker mode), and what the client programs need besides.
func (b broker) env(w *world) []string {
	return append(w.commonEnv(),
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://"+b.address+"/aws/v1/credentials",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN="+b.secret,

		"GCE_METADATA_HOST="+b.address, "GCE_METADATA_IP="+b.address, "GCE_METADATA_ROOT="+b.address,
		"METADATA_SERVER_DETECTION=assume-present",
		"GOOGLE_CLOUD_PROJECT="+orders.GCPProject, "CLOUDSDK_CORE_PROJECT="+orders.GCPProject,

		"IDENTITY_ENDPOINT=http://"+b.address+"/azure/v1/token",
		"IDENTITY_HEADER="+b.secret,
		"AZURE_POD_IDENTITY_AUTHORITY_HOST=http://"+b.address,
		"AZURE_CLIENT_ID="+orders.AzureClient, "AZURE_TENANT_ID="+orders.AzureTenant, "AZURE_AUTHORITY_HOST="+w.clouds.Azure,
	)
}

// imdsEnv is for tools that know EC2's metadata service alone.
func (b broker) imdsEnv(w *world) []string {
	return append(w.commonEnv(), "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+b.address+"/", "AWS_EC2_METADATA_DISABLED=false")
}
