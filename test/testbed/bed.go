package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/sdk"
)

// Images of the testbed. No registry serves them: they are imported into the node.
const (
	webhookImage = "podpass.io/podpass:" + ThisRelease
	brokerImage  = "podpass.io/podpass-broker:" + ThisRelease
	GoSDKImage   = "podpass.io/sdk-go:dev"
	JSSDKImage   = "podpass.io/sdk-js:dev"
)

// imageUser is whom all of them run as.
const imageUser = "65532:65532"

// ThisRelease is the tag of podpass's images, and what they say to be.
const ThisRelease = "dev"

// Namespace is where the chart is installed.
const Namespace = "podpass-system"

// Options say where the testbed lives and to whom it reports.
type Options struct {
	// Dir for everything that the testbed writes; it must be empty, or that of an
	// earlier testbed, whose remains are removed first.
	Dir string
	// Root of the repository.
	Root string
	// Log gets a line per step.
	Log io.Writer
}

// Bed is a running testbed.
type Bed struct {
	*cluster.Cluster
	Clouds Clouds
	MinIO  MinIO

	opts Options
	bin  binaries
}

// Clouds are the addresses of the stand-ins, as podpass-clouds writes them.
type Clouds struct {
	AWS    string `json:"aws"`
	GCP    string `json:"gcp"`
	Azure  string `json:"azure"`
	OAuth  string `json:"oauth"`
	Admin  string `json:"admin"`
	CAFile string `json:"caFile"`
}

// Up builds and starts everything but the chart: see Install. It returns when the
// node is Ready and the clouds answer.
func Up(ctx context.Context, opts Options) (*Bed, error) {
	if err := Down(ctx, opts); err != nil {
		return nil, fmt.Errorf("remove the remains of an earlier run: %w", err)
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, err
	}
	b := &Bed{opts: opts}
	var err error
	if b.bin, err = build(ctx, opts.Root, opts.Dir, opts.Log); err != nil {
		return nil, err
	}
	clients, err := sdk.Build(ctx, opts.Log)
	if err != nil {
		return nil, err
	}
	if b.Cluster, err = cluster.Up(ctx, cluster.Options{Dir: filepath.Join(opts.Dir, "kube"), Log: opts.Log}); err != nil {
		return nil, err
	}
	if err := step(opts.Log, "Starting the clouds (strict stand-ins for AWS STS, Google STS and Entra)", func() error { return b.startClouds(ctx) }); err != nil {
		return b, err
	}
	if err := step(opts.Log, "Starting MinIO (a real S3 that verifies tokens by the API server's OIDC discovery)", func() error { return b.startS3(ctx) }); err != nil {
		return b, err
	}
	return b, step(opts.Log, "Importing images into the node", func() error { return b.loadImages(ctx, clients) })
}

// Down removes what a testbed in opts.Dir started and wrote, also after a crash.
func Down(ctx context.Context, opts Options) error {
	return errors.Join(
		stopProcesses(ctx, opts.Dir),
		cluster.Down(ctx, cluster.Options{Dir: filepath.Join(opts.Dir, "kube"), Log: opts.Log}),
		os.RemoveAll(opts.Dir),
	)
}

func (b *Bed) startClouds(ctx context.Context) error {
	config := filepath.Join(b.opts.Dir, "trust.json")
	if err := writeJSON(config, trustOf(b.Issuer, b.CAFile)); err != nil {
		return err
	}
	dir := filepath.Join(b.opts.Dir, "clouds")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	p, err := startProcess(b.opts.Dir, "clouds", nil, b.bin.clouds,
		"--config", config, "--host", b.GatewayIP, "--dir", dir)
	if err != nil {
		return err
	}
	return poll(ctx, 20*time.Second, func() error {
		if !p.alive() {
			return errStop{fmt.Errorf("the clouds ended at once: see %s", filepath.Join(b.opts.Dir, "clouds.log"))}
		}
		raw, err := os.ReadFile(filepath.Join(dir, "clouds.json"))
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &b.Clouds)
	})
}

func (b *Bed) startS3(ctx context.Context) error {
	port, err := freePort(b.GatewayIP)
	if err != nil {
		return err
	}
	b.MinIO, err = startMinIO(ctx, b.opts.Dir, b.bin.minio, b.GatewayIP, port, b.Issuer, b.CAFile)
	return err
}

func (b *Bed) loadImages(ctx context.Context, clients sdk.Clients) error {
	if err := b.loadPodpass(ctx, ThisRelease, b.bin.dir); err != nil {
		return err
	}
	for _, image := range []cluster.ImageOptions{
		{Name: GoSDKImage, Entrypoint: []string{"/sdk-go"}, User: imageUser, Files: []string{clients.Go + "=/sdk-go"}},
		{Name: JSSDKImage, Entrypoint: []string{"/usr/local/bin/node", "/app/main.js"}, User: imageUser, Files: clients.ImageFiles()},
	} {
		if err := b.LoadImage(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// freePort asks the kernel for a free TCP port on host.
func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

// errStop ends poll at once.
type errStop struct{ error }

// poll calls try until it succeeds, gives an errStop, or patience ends.
func poll(ctx context.Context, patience time.Duration, try func() error) error {
	end := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if stop, ok := errors.AsType[errStop](err); ok {
			return stop.error
		}
		if time.Now().After(end) {
			return fmt.Errorf("not after %s: %w", patience, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
