package webhook_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/program"
)

// TestClusterClientCertificate: a real API server shows the certificate that its
// AdmissionConfiguration names, as docs/security.md has it, and nobody else is answered.
func TestClusterClientCertificate(t *testing.T) {
	address, dir := program.Address(t), t.TempDir()
	certificate, key := program.Certificate(t)
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ca := file("client.crt", string(certificate))
	kubeconfig := file("kubeconfig", fmt.Sprintf(`
apiVersion: v1
kind: Config
users:
  - name: %q
    user: {client-certificate: %s, client-key: %s}
`, address, ca, file("client.key", string(key))))
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(dir, "kube"), ControlPlaneOnly: true, AdmissionConfig: file("admission.yaml", fmt.Sprintf(`
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: MutatingAdmissionWebhook
    configuration: &webhooks
      apiVersion: apiserver.config.k8s.io/v1
      kind: WebhookAdmissionConfiguration
      kubeConfigFile: %s
  - name: ValidatingAdmissionWebhook
    configuration: *webhooks
`, kubeconfig))})
	serving := serve(t, c, address, "--client-ca", ca)

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := client.Post("https://"+address+"/mutate", "application/json", http.NoBody); err == nil {
		_ = resp.Body.Close()
		t.Errorf("whoever reaches the port is answered: %s", resp.Status)
	}
	register(t, c, "https://"+address, serving) // until a pod is injected
}
