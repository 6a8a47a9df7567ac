package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	testVersion = "1.2.3-rc.1"
	testCommit  = "0123456789abcdef0123456789abcdef01234567"
)

// TestRelease makes a release twice, of two copies of the source in directories with
// other names and of files with other modes, and compares all of it; then it looks at the first as those do who
// download it. The platforms are the images' two, since the others' packages take
// minutes to compile; `make release` without PLATFORMS has them all.
func TestRelease(t *testing.T) {
	if os.Getenv("PODPASS_TEST_RELEASE") == "" {
		t.Skip("it links all programs several times: set PODPASS_TEST_RELEASE=1, or run make release-test")
	}
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("no buildah: sudo apt-get install --no-install-recommends buildah")
	}
	one, two := makeRelease(t, "one", 0o644), makeRelease(t, "another/directory", 0o664)
	if diff := cmp.Diff(read(t, one, "SHA256SUMS"), read(t, two, "SHA256SUMS")); diff != "" {
		t.Errorf("the same source makes another release: -first +second:\n%s", diff)
	}
	t.Run("checksums", func(t *testing.T) {
		check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
		check.Dir = one
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("files", func(t *testing.T) { testFiles(t, one) })
	t.Run("program", func(t *testing.T) { testProgram(t, one) })
	t.Run("chart", func(t *testing.T) { testChart(t, one) })
	t.Run("plugin", func(t *testing.T) { testPlugin(t, one) })
	for image, programs := range map[string][]string{"podpass-broker": {"podpass-broker"}, "podpass": {"podpass", "podpass-webhook"}} {
		t.Run(image, func(t *testing.T) { testImage(t, one, image, programs) })
	}
}

// makeRelease copies what git has of the source, and makes a release of it. Outside of a
// repository there is no commit and no time to ask for.
func makeRelease(t *testing.T, name string, mode os.FileMode) (dist string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), name)
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "Makefile", "Dockerfile", ".dockerignore", "LICENSE", "go.mod", "go.sum", "cmd", "broker", "webhook", "federation", "release", "charts")
	list.Dir = "../.."
	files, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.SplitSeq(strings.Trim(string(files), "\x00"), "\x00") {
		body, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		// Not by WriteFile's mode, which the umask of this test would make the same.
		if err := errors.Join(os.WriteFile(filepath.Join(root, file), body, 0o600), os.Chmod(filepath.Join(root, file), mode)); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "make", "-C", root, "release", "VERSION="+testVersion, "COMMIT="+testCommit,
		"SOURCE_DATE_EPOCH=1795000000", "REGISTRY=registry.example.com/podpass", "PLATFORMS=linux/amd64,linux/arm64")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	return filepath.Join(root, "dist")
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func testFiles(t *testing.T, dist string) {
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff([]string{
		"SHA256SUMS",
		"install.yaml",
		"podpass-1.2.3-rc.1.tgz",
		"podpass-broker-image_1.2.3-rc.1.tar",
		"podpass-broker-image_1.2.3-rc.1_linux_amd64.cdx.json",
		"podpass-broker-image_1.2.3-rc.1_linux_arm64.cdx.json",
		"podpass-image_1.2.3-rc.1.tar",
		"podpass-image_1.2.3-rc.1_linux_amd64.cdx.json",
		"podpass-image_1.2.3-rc.1_linux_arm64.cdx.json",
		"podpass.yaml",
		"podpass_1.2.3-rc.1_linux_amd64.cdx.json",
		"podpass_1.2.3-rc.1_linux_amd64.tar.gz",
		"podpass_1.2.3-rc.1_linux_arm64.cdx.json",
		"podpass_1.2.3-rc.1_linux_arm64.tar.gz",
	}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// testProgram unpacks the archive as its users do.
func testProgram(t *testing.T, dist string) {
	dir := t.TempDir()
	unpack(t, filepath.Join(dist, "podpass_"+testVersion+"_linux_amd64.tar.gz"), dir)
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "podpass"), "version").CombinedOutput()
	if want := "podpass " + testVersion + " (commit " + testCommit + ", "; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(read(t, dir, "LICENSE"), "Apache License") || !strings.Contains(read(t, dir, "NOTICES"), "github.com/spf13/cobra v") {
		t.Error("the archive has not the licenses of what is in it")
	}
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func testChart(t *testing.T, dist string) {
	dir := t.TempDir()
	unpack(t, filepath.Join(dist, "podpass-"+testVersion+".tgz"), dir)
	chart := read(t, dir, "podpass/Chart.yaml")
	for _, want := range []string{"\nversion: 1.2.3-rc.1\n", "\nappVersion: \"1.2.3-rc.1\"\n"} {
		if !strings.Contains(chart, want) {
			t.Errorf("Chart.yaml has no line %q:\n%s", want, chart)
		}
	}
	install := read(t, dist, "install.yaml")
	for _, image := range []string{"registry.example.com/podpass/podpass:1.2.3-rc.1", "registry.example.com/podpass/podpass-broker:1.2.3-rc.1"} {
		if !strings.Contains(install, image) {
			t.Errorf("install.yaml has not the image %s", image)
		}
	}
	if strings.Contains(install, "helm.sh/hook") {
		t.Error("install.yaml has hooks, which only Helm runs as such")
	}
}

// testPlugin installs the plugin with krew itself, from the archive that was made: krew
// holds the manifest against its own rules, and the archive against its checksum.
func testPlugin(t *testing.T, dist string) {
	for _, arch := range []string{"amd64", "arm64"} {
		krew := exec.CommandContext(t.Context(), "go", "run", "sigs.k8s.io/krew/cmd/krew@v0.4.3", "install",
			"--manifest="+filepath.Join(dist, "podpass.yaml"), "--archive="+filepath.Join(dist, "podpass_"+testVersion+"_linux_"+arch+".tar.gz"))
		root := t.TempDir()
		krew.Env = append(os.Environ(), "KREW_ROOT="+root, "KREW_OS=linux", "KREW_ARCH="+arch, "KREW_NO_UPGRADE_CHECK=1")
		if out, err := krew.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", arch, err, out)
			continue
		}
		if arch != "amd64" {
			continue
		}
		out, err := exec.CommandContext(t.Context(), filepath.Join(root, "bin", "kubectl-podpass"), "--version").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "podpass "+testVersion) {
			t.Errorf("as a plugin of kubectl: %v\n%s", err, out)
		}
	}
}

// testImage looks at both platforms of an image: its labels, its files, and what its
// programs say of themselves. Those for arm64 run by qemu, where there is one.
func testImage(t *testing.T, dist, image string, programs []string) {
	dir := t.TempDir()
	unpack(t, filepath.Join(dist, image+"-image_"+testVersion+".tar"), dir)
	blob := func(digest string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(read(t, dir, "blobs/sha256/"+strings.TrimPrefix(digest, "sha256:"))), into); err != nil {
			t.Fatal(err)
		}
	}
	type ref struct {
		Digest   string
		Platform struct{ Architecture string }
	}
	var top, all struct{ Manifests []ref }
	if err := json.Unmarshal([]byte(read(t, dir, "index.json")), &top); err != nil {
		t.Fatal(err)
	}
	blob(top.Manifests[0].Digest, &all)
	if len(all.Manifests) != 2 {
		t.Fatalf("got %d platforms, want 2", len(all.Manifests))
	}
	for _, m := range all.Manifests {
		arch := m.Platform.Architecture
		var manifest struct {
			Config ref
			Layers []ref
		}
		var config struct {
			Architecture, Created string
			Config                struct {
				User       string
				Entrypoint []string
				Labels     map[string]string
			}
		}
		blob(m.Digest, &manifest)
		blob(manifest.Config.Digest, &config)
		labels := config.Config.Labels
		delete(labels, "io.buildah.version")
		if labels["org.opencontainers.image.description"] == "" {
			t.Error("the image has no description")
		}
		delete(labels, "org.opencontainers.image.description")
		if diff := cmp.Diff(map[string]string{
			"org.opencontainers.image.title":    image,
			"org.opencontainers.image.version":  testVersion,
			"org.opencontainers.image.revision": testCommit,
			"org.opencontainers.image.created":  "2026-11-18T11:06:40Z",
			"org.opencontainers.image.source":   "https://github.com/podpass-io/podpass",
			"org.opencontainers.image.licenses": "Apache-2.0",
		}, labels); diff != "" {
			t.Errorf("%s: labels: -want +got:\n%s", arch, diff)
		}
		if config.Architecture != arch || config.Created != "2026-11-18T11:06:40Z" || config.Config.User != "65532:65532" {
			t.Errorf("%s: the image is of %s, from %s, and runs as %s", arch, config.Architecture, config.Created, config.Config.User)
		}
		files := t.TempDir()
		for _, l := range manifest.Layers {
			unpack(t, filepath.Join(dir, "blobs/sha256", strings.TrimPrefix(l.Digest, "sha256:")), files)
		}
		wantFiles := []string{"etc/ssl/certs/ca-certificates.crt", "licenses/LICENSE", "licenses/NOTICES"}
		wantFiles = append(wantFiles, programs...)
		if diff := cmp.Diff(wantFiles, tree(t, files)); diff != "" {
			t.Errorf("%s: files: -want +got:\n%s", arch, diff)
		}
		testPrograms(t, dist, image, arch, files, programs)
	}
}

// testPrograms runs them, and holds the bill of materials and the notices against what
// the linker wrote into them.
func testPrograms(t *testing.T, dist, image, arch, files string, programs []string) {
	inside := map[string]bool{}
	for _, program := range programs {
		path := filepath.Join(files, program)
		command := []string{path, "--version"}
		if arch != "amd64" {
			command = append([]string{"qemu-aarch64-static"}, command...)
		}
		out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		switch {
		case errors.Is(err, exec.ErrNotFound):
			t.Logf("left out: %s for %s was not run, for want of qemu-user-static", program, arch)
		case err != nil || !strings.HasPrefix(string(out), program+" "+testVersion+" (commit "+testCommit) || !strings.Contains(string(out), "linux/"+arch+")"):
			t.Errorf("%v: %s", err, out)
		}
		modules, err := exec.CommandContext(t.Context(), "go", "version", "-m", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(string(modules), -1) {
			inside[m[1]+" "+m[2]] = true
		}
	}
	var bom struct {
		Components []struct{ Type, Name, Version string }
	}
	if err := json.Unmarshal([]byte(read(t, dist, image+"-image_"+testVersion+"_linux_"+arch+".cdx.json")), &bom); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range bom.Components {
		if c.Type == "library" && c.Name != "std" {
			listed[c.Name+" "+c.Version] = true
		}
	}
	if diff := cmp.Diff(inside, listed); diff != "" {
		t.Errorf("%s: the bill of materials is not what is linked: -linked +listed:\n%s", arch, diff)
	}
	texts := read(t, files, "licenses/NOTICES")
	for m := range inside {
		if !strings.Contains(texts, "\n"+m+" (") {
			t.Errorf("%s: the notices leave out %s", arch, m)
		}
	}
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			files = append(files, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}
