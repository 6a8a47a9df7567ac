package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

// mayFind are the commands of the README that end with 1 for what they found: the testbed's
// issuer has a private address, which no AWS could reach (WI220), and AWS's stand-in does not
// trust the ServiceAccount that the README makes, since nobody runs trust.sh.
var mayFind = regexp.MustCompile(`^(podpass (doctor|trust) |kubectl exec .* explain)`)

// TestReadme runs the README's way from nothing to credentials, command by command, on the
// real node. Programs that are not to be had here, and what would reach outside, are stood in
// for by scripts on the PATH:
//
//   - docker and kind do nothing but look whether the Dockerfile has the target: the testbed
//     has loaded the same binaries as images into the node;
//   - helm is Helm. Its install is an upgrade of the testbed's release, with the images that
//     the node has, and otherwise as it is written;
//   - kubectl is kubectl. The image of the pod is one that the node has, with a command of its
//     own that sleeps;
//   - sudo runs its command, install puts the program where the script's PATH has it.
//
// The last command, which asks AWS, is left out: there is no AWS command line in that image.
func TestReadme(t *testing.T) {
	require(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	stand := map[string]string{
		"docker":  `[[ $1 != build ]] || grep -q " AS $3$" Dockerfile`,
		"kind":    `[[ "$1 $2" == "load docker-image" && $# -ge 4 ]]`,
		"sudo":    `exec "$@"`,
		"install": `cp "$1" "` + bin + `/$(basename "$2")"`,
		"kubectl": `if [[ $1 == run ]]; then set -- "${@:1:$#-4}"; fi
exec ` + bed.KubectlCommand() + ` "${@/#--image=*/--image=` + pauseImage + `}"`,
		"helm": `[[ $1 == install ]] || exit 3; shift
exec ` + helm + ` upgrade --install "${@//podpass-io\//}" --reuse-values --timeout 3m --set image.tag=dev --set broker.image.tag=dev`,
	}
	for name, script := range stand {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/bash\nset -e\n"+script+"\n"), 0o755); err != nil { //nolint:gosec // to be executed
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := bed.Kubectl(context.WithoutCancel(t.Context()), "delete", "namespace", "shop", "--ignore-not-found"); err != nil {
			t.Errorf("remove what the README made: %v", err)
		}
	})
	commands := readme(t, root)
	if len(commands) < 15 {
		t.Fatalf("only %d commands", len(commands))
	}
	said := ""
	for _, c := range commands {
		c = strings.ReplaceAll(c, "registry.example.com", "podpass.io")
		cmd := exec.CommandContext(t.Context(), "bash", "-c", "export REGISTRY=podpass.io; "+c)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+bed.Kubeconfig)
		cmd.WaitDelay = time.Minute
		out, err := cmd.CombinedOutput()
		t.Logf("$ %s\n%s", c, out)
		if err != nil && (!mayFind.MatchString(c) || cmd.ProcessState.ExitCode() != 1) {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
		said += string(out)
	}
	for _, want := range []string{"broker", "arn:aws:iam::111122223333:role/orders", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "WI220"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %s", want)
		}
	}
	if err := os.Remove(filepath.Join(root, "trust.sh")); err != nil {
		t.Error(err)
	}
}

const pauseImage = "podpass.io/pause:dev"

// readme are the commands of the README's part, but the one for AWS's own program.
func readme(t *testing.T, root string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(text), "\n## From nothing to credentials\n")
	part, _, ended := strings.Cut(part, "\n## ")
	if !ok || !ended {
		t.Fatal("the README has no such part")
	}
	var commands []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasSuffix(line, "aws sts get-caller-identity") {
				commands = append(commands, line)
			}
		}
	}
	return commands
}
