package kubeconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// there is what somebody has already: paths and extensions of it must stay as they are.
const there = `apiVersion: v1
kind: Config
current-context: old
preferences: {}
clusters:
- name: old
  cluster:
    server: https://old.example.com
    certificate-authority: pki/ca.crt
    extensions:
    - name: tool.example.com
      extension: {color: red}
users:
- name: old
  user: {client-certificate: pki/me.crt, client-key: pki/me.key}
contexts:
- name: old
  context: {cluster: old, user: old, namespace: shop}
`

func made(server string) *clientcmdapi.Config {
	return (&target{server: server, namespace: "web"}).config("prod", map[string]*clientcmdapi.ExecConfig{"prod": {
		APIVersion: "client.authentication.k8s.io/v1", Command: "podpass", Args: []string{"token", "kube"}, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}})
}

func write(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMerge: what is there stays as it is, and a second time changes nothing.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	write(t, file, there, 0o640)
	current, err := merge(file, made("https://prod.example.com"))
	if err != nil || current != "old" {
		t.Fatalf("current context %q: %v", current, err)
	}
	text := readFile(t, file)
	for _, kept := range []string{"certificate-authority: pki/ca.crt", "client-key: pki/me.key", "color: red", "current-context: old", "server: https://old.example.com", "server: https://prod.example.com", "namespace: shop"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%q is not there:\n%s", kept, text)
		}
	}
	c, err := clientcmd.LoadFromFile(file)
	if err != nil || len(c.Contexts) != 2 || c.Contexts["prod"].AuthInfo != "prod" || c.AuthInfos["prod"].Exec.Command != "podpass" {
		t.Errorf("%+v: %v", c, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
	if _, err := merge(file, made("https://prod.example.com")); err != nil || readFile(t, file) != text {
		t.Errorf("a second time: %v\n%s", err, readFile(t, file))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left over: %v, %v", files, err)
	}
}

// TestMergeNew: a file that is not there, in a directory that is not, and an empty one.
func TestMergeNew(t *testing.T) {
	for name, prepare := range map[string]func(file string){
		"not there": func(string) {},
		"empty": func(file string) {
			if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, file, "\n", 0o600)
		},
	} {
		file := filepath.Join(t.TempDir(), "kube", "config")
		prepare(file)
		current, err := merge(file, made("https://prod.example.com"))
		info, err2 := os.Stat(file)
		if err != nil || err2 != nil || current != "prod" || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: current context %q, %v, %v", name, current, err, err2)
		}
	}
}

// TestMergeRefuses: a file in which anything would be lost stays as it is, to the byte.
func TestMergeRefuses(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"another cluster":         {strings.ReplaceAll(there, "old", "prod"), "it has another cluster of the name prod, another user of the name prod, another context of the name prod"},
		"another user":            {there + "- name: prod\n  context: {cluster: prod, user: else, namespace: web}\n", "it has another context of the name prod"},
		"a field of the future":   {there + "future: hunter2\n", `unknown field "future"`},
		"a field of the user":     {strings.Replace(there, "client-key:", "secret-of-the-future: hunter2, client-key:", 1), `unknown field "secret-of-the-future"`},
		"no kubeconfig":           {"hunter2", "it is no kubeconfig of this version"},
		"half a file, of secrets": {there + "users: {", "it is no kubeconfig of this version"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			write(t, file, test.content, 0o600)
			_, err := merge(file, made("https://prod.example.com"))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
			if got := readFile(t, file); got != test.content {
				t.Errorf("it was changed:\n%s", got)
			}
			if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
				t.Errorf("left over: %v, %v", files, err)
			}
		})
	}
}

// TestMergeLocked: kubectl config writes the file just now, and has the lock.
func TestMergeLocked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	write(t, file, there, 0o600)
	write(t, file+".lock", "", 0o600)
	if _, err := merge(file, made("https://prod.example.com")); err == nil || !strings.Contains(err.Error(), "is being written by another program") {
		t.Errorf("error %v", err)
	}
	if readFile(t, file) != there {
		t.Error("it was changed")
	}
	if _, err := os.Stat(file + ".lock"); err != nil {
		t.Errorf("the other's lock is gone: %v", err)
	}
}

// TestCreate: a file that is there is not written over.
func TestCreate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := create(file, made("https://prod.example.com")); err != nil {
		t.Fatal(err)
	}
	text := readFile(t, file)
	if err := create(file, made("https://other.example.com")); err == nil || !strings.Contains(err.Error(), "is there already") || readFile(t, file) != text {
		t.Errorf("error %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}
