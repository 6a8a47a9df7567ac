package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass-release/archive"
)

// namespace is that of install.yaml, and the one that the documentation has.
const namespace = "podpass-system"

// makeChart makes the chart's package, and install.yaml for those who have no Helm.
func (p *plan) makeChart(ctx context.Context) error {
	chart := filepath.Join(p.work, "chart", "podpass")
	if err := os.CopyFS(chart, os.DirFS(filepath.Join(p.root, "charts", "podpass"))); err != nil {
		return err
	}
	if err := edit(filepath.Join(chart, "Chart.yaml"), map[string]string{
		`(?m)^version: .*$`:    "version: " + p.version,
		`(?m)^appVersion: .*$`: `appVersion: "` + p.version + `"`,
	}); err != nil {
		return err
	}
	if p.registry != "" {
		if err := edit(filepath.Join(chart, "values.yaml"), map[string]string{
			`(?m)^(  repository: )podpass-io/podpass$`:          "${1}" + p.registry + "/podpass",
			`(?m)^(    repository: )podpass-io/podpass-broker$`: "${1}" + p.registry + "/podpass-broker",
		}); err != nil {
			return err
		}
	}
	// Helm reads the chart as its users will, and refuses one that it cannot. Its own
	// package has the time of the day in it, so the one that is published is packed here.
	if _, err := p.helm(ctx, "package", chart, "--destination", filepath.Join(p.work, "chart")); err != nil {
		return err
	}
	entries, err := archive.Tree(chart, "podpass/")
	if err != nil {
		return err
	}
	if err := archive.Write(filepath.Join(p.out, "podpass-"+p.version+".tgz"), entries, p.created); err != nil {
		return err
	}
	// Hooks are Helm's: helm test's pods would just run.
	rendered, err := p.helm(ctx, "template", "podpass", chart, "--namespace", namespace, "--no-hooks")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.out, "install.yaml"), p.installation(rendered), 0o644)
}

func (p *plan) installation(rendered []byte) []byte {
	head := fmt.Sprintf(`# podpass %s, as its chart installs it with no values:
#   kubectl apply --server-side -f install.yaml
apiVersion: v1
kind: Namespace
metadata:
  name: %s
`, p.version, namespace)
	return append([]byte(head), rendered...)
}

// edit replaces what each pattern finds, which has to be one place: a file that was
// rewritten must not be published with what it said before.
func edit(path string, patterns map[string]string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for pattern, replacement := range patterns {
		re := regexp.MustCompile(pattern)
		if n := len(re.FindAllIndex(body, -1)); n != 1 {
			return fmt.Errorf("%s has %d lines like %q, and should have one", filepath.Base(path), n, pattern)
		}
		body = re.ReplaceAll(body, []byte(replacement))
	}
	return os.WriteFile(path, body, 0o644)
}

// helm runs the Helm that the Makefile names, whose settings may not come from whoever
// makes the release.
func (p *plan) helm(ctx context.Context, args ...string) ([]byte, error) {
	command := strings.Fields(os.Getenv("HELM"))
	if len(command) == 0 {
		command = []string{"helm"}
	}
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
	home := filepath.Join(p.work, "helm")
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG=/dev/null")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("helm %s: %w\n%s", args[0], err, errs.String())
	}
	return out, nil
}

// makeChecksums lists everything, in the form that sha256sum -c reads.
func (p *plan) makeChecksums(context.Context) error {
	entries, err := archive.Tree(p.out, "")
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, e := range entries {
		sum, err := digest(e.Path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, e.Name)
	}
	return os.WriteFile(filepath.Join(p.out, "SHA256SUMS"), sums.Bytes(), 0o644)
}
