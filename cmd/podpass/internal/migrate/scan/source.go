package scan

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Source is what the flags of a command name: files, or a cluster.
type Source struct {
	Flags *cluster.Flags
	// Files are manifests in the place of the cluster.
	Files []string
	// Version of podpass.
	Version string
}

// Collector gives one for the source.
func (s Source) Collector(fingerprintKey []byte) *Collector {
	return New(cmp.Or(s.Flags.GivenNamespace(), "default"), fingerprintKey, time.Now())
}

// Read has the collector read the source. in are the installation's settings, by which
// ServiceAccounts were looked at; defaults: they are podpass's own.
func (s Source) Read(ctx context.Context, c *Collector, stdin io.Reader, stderr io.Writer) (in serviceaccount.Installation, defaults bool, err error) {
	if len(s.Files) > 0 {
		return s.readFiles(c, stdin)
	}
	return s.readCluster(ctx, c, stderr)
}

func (s Source) readFiles(c *Collector, stdin io.Reader) (in serviceaccount.Installation, defaults bool, err error) {
	if s.Flags.AllNamespaces || s.Flags.Selector != "" {
		return in, false, hint.New(errors.New("-A and -l are of a cluster, and -f reads files"), "leave them out")
	}
	if err := manifest.Once(s.Files...); err != nil {
		return in, false, err
	}
	settings, err := manifest.Settings(s.Flags.SettingsFile, s.Version)
	if err != nil {
		return in, false, err
	}
	return settings.Installation, s.Flags.SettingsFile == "", c.Files(stdin, s.Files, settings.Installation)
}

func (s Source) readCluster(ctx context.Context, c *Collector, stderr io.Writer) (in serviceaccount.Installation, defaults bool, err error) {
	client, _, err := s.Flags.Client("read manifests with -f")
	if err != nil {
		return in, false, err
	}
	namespace := ""
	if !s.Flags.AllNamespaces {
		if namespace, err = s.Flags.Namespace(); err != nil {
			return in, false, err
		}
	}
	c.Namespace = namespace
	settings, defaults, err := s.Flags.Settings(ctx, client, stderr)
	if err != nil {
		return in, false, err
	}
	progress := report.StartProgress(ctx, stderr)
	defer progress.End()
	return settings.Installation, defaults, c.Cluster(ctx, Cluster{Client: client, Installation: settings.Installation, Namespace: namespace, Selector: s.Flags.Selector, Say: progress.Say})
}
