package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/webhook/inject"
)

// settingsPeriod is how often the file is read: kubelet takes a minute to write what
// a ConfigMap has, and reading some KiB costs nothing.
const settingsPeriod = 5 * time.Second

// maxSettings bounds the file, as a ConfigMap is.
const maxSettings = 1 << 20

// SettingsFile is the installation's settings, read again while the process runs. A
// file that cannot be used changes nothing: the settings before stay in force, and the
// log and a metric say so.
type SettingsFile struct {
	file    string
	log     *slog.Logger
	raw     []byte // of the last try; nil: it could not be read
	current atomic.Pointer[inForce]
	refused atomic.Bool
}

// inForce are settings that are in force.
type inForce struct {
	settings inject.Settings
	checksum string    // of the file
	read     time.Time // when it was
}

// OpenSettings reads the file; its error names all that is wrong with it.
func OpenSettings(file string, log *slog.Logger) (*SettingsFile, error) {
	s := &SettingsFile{file: file, log: log}
	var err error
	if s.raw, err = readSettings(file); err != nil {
		return nil, err
	}
	return s, s.use(s.raw)
}

func readSettings(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSettings {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxSettings)
	}
	return os.ReadFile(file) //nolint:gosec // the administrator names it
}

func (s *SettingsFile) use(raw []byte) error {
	settings, err := inject.LoadSettings(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	s.current.Store(&inForce{settings, fmt.Sprintf("%x", sha256.Sum256(raw))[:16], time.Now()})
	return nil
}

// Current is an inject.Source.
func (s *SettingsFile) Current() inject.Settings { return s.current.Load().settings }

// NeedLeaderElection is false: each replica has its file.
func (*SettingsFile) NeedLeaderElection() bool { return false }

// Start reads the file again until ctx ends. By its contents, not by its time or name:
// kubelet swaps a link to the directory that it is in.
func (s *SettingsFile) Start(ctx context.Context) error {
	ticker := time.NewTicker(settingsPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.again()
		}
	}
}

// again reads the file once. What is wrong with it is said once, and not at each try.
func (s *SettingsFile) again() {
	raw, err := readSettings(s.file)
	if err == nil && bytes.Equal(raw, s.raw) || err != nil && s.raw == nil {
		return
	}
	if s.raw = raw; err == nil {
		err = s.use(raw)
	}
	s.refused.Store(err != nil)
	if err != nil {
		s.log.Error("Settings cannot be used; those before stay in force", "file", s.file, "error", err)
		return
	}
	s.log.Info("Settings were read again, and are in force", "file", s.file)
}

// settingsMetric says which settings are in force, and since when: replicas differ for
// about a minute after a change, and if they differ for longer something is wrong.
type settingsMetric struct{ file *SettingsFile }

var settingsDesc = prometheus.NewDesc("podpass_webhook_settings_timestamp_seconds",
	"When the settings in force were read, in seconds since 1970, by the first 16 digits of their file's SHA-256.", []string{"checksum"}, nil)

// Describe implements prometheus.Collector.
func (settingsMetric) Describe(c chan<- *prometheus.Desc) { c <- settingsDesc }

// Collect implements prometheus.Collector.
func (m settingsMetric) Collect(c chan<- prometheus.Metric) {
	s := m.file.current.Load()
	c <- prometheus.MustNewConstMetric(settingsDesc, prometheus.GaugeValue, float64(s.read.Unix()), s.checksum)
}

// RegisterSettings registers which settings are in force.
func RegisterSettings(r prometheus.Registerer, s *SettingsFile) {
	r.MustRegister(
		settingsMetric{s},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "podpass_webhook_settings_refused", Help: "1 while the settings file cannot be used, and older settings are in force."},
			func() float64 {
				if s.refused.Load() {
					return 1
				}
				return 0
			}),
	)
}
