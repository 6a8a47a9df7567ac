package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Options say where a cluster lives and of what it consists.
type Options struct {
	// Dir names the cluster. Up removes what an earlier cluster left there.
	Dir string
	// ControlPlaneOnly leaves out the node: no pods run, and root is not needed.
	ControlPlaneOnly bool
	// AdmissionConfig, if set, is a file with the API server's AdmissionConfiguration:
	// as whom it calls webhooks.
	AdmissionConfig string
	// Log gets a line per step.
	Log io.Writer
}

// Cluster is a running cluster. Its methods are safe for concurrent use.
type Cluster struct {
	Dir        string `json:"dir"`
	Kubeconfig string `json:"kubeconfig"`
	CAFile     string `json:"caFile"`
	Server     string `json:"server"`
	// Issuer of the ServiceAccount tokens; its discovery is open to everybody.
	Issuer string `json:"issuer"`
	// GatewayIP is the machine as pods see it; empty without a node.
	GatewayIP string `json:"gatewayIP"`

	binary string
}

// Up starts a cluster and returns when it is ready.
func Up(ctx context.Context, opts Options) (*Cluster, error) {
	binary, err := Build(ctx, opts.Log)
	if err != nil {
		return nil, err
	}
	args := []string{"up", "--dir", opts.Dir}
	what := "a real Kubernetes: API server, kubelet, containerd"
	if opts.ControlPlaneOnly {
		args = append(args, "--control-plane-only")
		what = "a real API server"
	}
	if opts.AdmissionConfig != "" {
		args = append(args, "--admission-config", opts.AdmissionConfig)
	}
	fmt.Fprintln(opts.Log, "==> Starting "+what)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stdout, cmd.Stderr = opts.Log, opts.Log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("podpass-kube up: %w", err)
	}
	return Open(ctx, opts.Dir)
}

// Open finds the running cluster of a directory.
func Open(ctx context.Context, dir string) (*Cluster, error) {
	binary, err := Build(ctx, io.Discard)
	if err != nil {
		return nil, err
	}
	c := &Cluster{binary: binary, Dir: dir}
	out, err := c.podpassKube(ctx, "status", "-o", "json")
	if err != nil {
		return nil, err
	}
	return c, json.Unmarshal(out, c)
}

// Down removes the cluster of opts.Dir, if there is one.
func Down(ctx context.Context, opts Options) error {
	if _, err := os.Stat(filepath.Join(opts.Dir, "state.json")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	binary, err := Build(ctx, opts.Log)
	if err != nil {
		return err
	}
	c := &Cluster{binary: binary, Dir: opts.Dir}
	_, err = c.podpassKube(ctx, "down")
	return err
}

// Down removes the cluster.
func (c *Cluster) Down(ctx context.Context) error {
	return Down(ctx, Options{Dir: c.Dir, Log: io.Discard})
}

// Kubectl runs kubectl as cluster-admin and gives its standard output. Its errors
// hold what kubectl wrote to standard error.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	out, err := output(exec.CommandContext(ctx, c.binary, append([]string{"kubectl", "--kubeconfig", c.Kubeconfig}, args...)...))
	return string(out), err
}

// KubectlCommand is what a person types to run kubectl against the cluster.
func (c *Cluster) KubectlCommand() string {
	return c.binary + " kubectl --kubeconfig " + c.Kubeconfig
}

// Restart restarts a component ("kube-apiserver", "etcd", "kubelet", ...) and waits
// until the API server answers; kill ends it by SIGKILL. Each of flags ("--name=value")
// takes the place of all that the component had of that name, from now on.
func (c *Cluster) Restart(ctx context.Context, component string, kill bool, flags ...string) error {
	args := []string{"restart", fmt.Sprintf("--kill=%t", kill), component}
	for _, f := range flags {
		args = append(args, "--flag", f)
	}
	_, err := c.podpassKube(ctx, args...)
	return err
}

// ImageOptions describe a one-layer image made from files.
type ImageOptions struct {
	Name       string // with tag
	Entrypoint []string
	User       string // UID:GID
	Env        []string
	Files      []string // SRC=/dest; a directory is taken whole
}

// LoadImage makes an image and imports it into the node.
func (c *Cluster) LoadImage(ctx context.Context, i ImageOptions) error {
	f, err := os.CreateTemp(c.Dir, "image-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	args := []string{"build-image", "--name", i.Name, "--user", i.User, "--output", f.Name()}
	for flag, values := range map[string][]string{"--entrypoint": i.Entrypoint, "--env": i.Env, "--file": i.Files} {
		for _, v := range values {
			args = append(args, flag, v)
		}
	}
	if _, err := c.podpassKube(ctx, args...); err != nil {
		return fmt.Errorf("image %s: %w", i.Name, err)
	}
	_, err = c.podpassKube(ctx, "load-image", f.Name())
	return err
}

func (c *Cluster) podpassKube(ctx context.Context, args ...string) ([]byte, error) {
	return output(exec.CommandContext(ctx, c.binary, append(args, "--dir", c.Dir)...))
}

// output runs a command; its error says what was run and what it complained of.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[1:], " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
