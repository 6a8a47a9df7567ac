package kubedoctor

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
)

// examples runs those of "podpass doctor kube" --help: Ada's own login is sound, and hers is
// as the administrator looks at it.
func (w *world) examples(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string][]byte{"authentication.yaml": w.configuration(), "token": []byte(w.token(t, nil) + "\n")} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for line := range strings.Lines(examples) {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "podpass doctor kube")
		if !ok {
			continue
		}
		ran++
		own := !strings.Contains(args, "--token-file")
		if own {
			args += " --issuer-ca ca.pem" // the provider of this test has a CA of its own
		}
		t.Setenv("KUBECONFIG", w.kubeconfig(t, own))
		var stdout, stderr bytes.Buffer
		cmd := Command("test")
		cmd.SetOut(&stdout)
		cmd.SetErr(&stderr)
		cmd.SetArgs(strings.Fields(args))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); exit.Status(err) != 0 {
			t.Errorf("%s: %v %s%s", line, err, stdout.String(), stderr.String())
		}
		if out := stdout.String(); !strings.HasPrefix(out, "USERNAME   acme:ada\nGROUPS     acme:developers, system:authenticated\n") {
			t.Errorf("%s: %s", line, out)
		}
	}
	if ran != 3 {
		t.Errorf("%d examples were run, want 3", ran)
	}
}

// kubeconfig is Ada's own, or the administrator's.
func (w *world) kubeconfig(t *testing.T, own bool) string {
	t.Helper()
	if !own {
		return w.Kubeconfig
	}
	if err := os.WriteFile("ca.pem", []byte(w.ca), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		CurrentContext: "prod",
		Clusters:       map[string]*clientcmdapi.Cluster{"prod": {Server: w.Server, CertificateAuthority: w.CAFile}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"ada": {Token: w.token(t, nil)}},
		Contexts:       map[string]*clientcmdapi.Context{"prod": {Cluster: "prod", AuthInfo: "ada"}},
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
