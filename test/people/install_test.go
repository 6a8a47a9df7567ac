package people

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// cached makes something in the user's cache once, by its key. Processes that make it at
// the same time wait for one another.
func cached(t *testing.T, name string, from []byte, do func(dir string) error) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(from)
	dir := filepath.Join(cache, "podpass", name+"-"+hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	// Renamed when whole, so that what is cut short leaves nothing that looks done.
	if err := errors.Join(os.RemoveAll(dir+".new"), os.Mkdir(dir+".new", 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(dir+".new"), os.Rename(dir+".new", dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installProvider installs exactly what the lock file says, with the Node.js that it names,
// and lays our script beside it.
func installProvider(t *testing.T) (node, script string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm: Debian's package of that name; make packages installs it")
	}
	lock, err := os.ReadFile("provider/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := cached(t, "people-provider", append(lock, runtime.GOARCH...), func(dir string) error {
		for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
			raw, err := os.ReadFile(filepath.Join("provider", name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
				return err
			}
		}
		t.Log("installing the identity provider with npm ci")
		// No package of the list needs an install script.
		cmd := exec.CommandContext(t.Context(), npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("npm ci:\n%s", out)
		}
		return err
	})
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	node = filepath.Join(dir, "node_modules", "node-linux-"+arch, "bin", "node")
	if _, err := os.Stat(node); err != nil {
		t.Skipf("package.json names no Node.js for this machine: %v", err)
	}
	raw, err := os.ReadFile("provider/provider.js")
	if err != nil {
		t.Fatal(err)
	}
	// Node.js looks for modules in the script's parent directories.
	sum := sha256.Sum256(raw)
	script = filepath.Join(dir, "provider-"+hex.EncodeToString(sum[:8])+".js")
	replace(t, script, raw)
	return node, script
}

// loginPlugin puts kubelogin into dir, by the name that makes it kubectl's plugin oidc-login.
// It is built from the version and the sums that the module in kubelogin/ has.
func loginPlugin(t *testing.T, dir string) {
	t.Helper()
	sums, err := os.ReadFile("kubelogin/go.sum")
	if err != nil {
		t.Fatal(err)
	}
	built := cached(t, "people-kubelogin", sums, func(dir string) error {
		command := func(args ...string) *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), "go", args...)
			cmd.Dir = "kubelogin"
			return cmd
		}
		if out, err := command("mod", "download", "github.com/int128/kubelogin").CombinedOutput(); err != nil {
			t.Skipf("left out: the module proxy does not give kubelogin, and the guide is not tried without: %v\n%s", err, out)
		}
		t.Log("building kubelogin (the first time only; a minute of CPU time)")
		out, err := command("build", "-trimpath", "-o", filepath.Join(dir, "kubelogin"), "github.com/int128/kubelogin").CombinedOutput()
		if err != nil {
			t.Logf("go build: %s", out)
		}
		return err
	})
	if err := os.Symlink(filepath.Join(built, "kubelogin"), filepath.Join(dir, "kubectl-oidc_login")); err != nil {
		t.Fatal(err)
	}
}
