// Package broker is the sidecar: it reads the pod's bound tokens, trades them for
// cloud credentials, and serves these on loopback in the protocols that cloud
// SDKs speak.
package broker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// DefaultListen and DefaultTokenDir are where the webhook expects the broker and
// puts its tokens.
const (
	DefaultListen   = "127.0.0.1:9911"
	DefaultTokenDir = "/var/run/secrets/podpass.io/tokens"
)

// maxFile bounds the identities and CA files.
const maxFile = 1 << 20

// Config is the broker's configuration. Each field has a flag and a PODPASS_
// variable of the same name; see Flags.
type Config struct {
	// Identities as JSON, or the path of a file with it.
	Identities string
	// Listen is host:port; the host must be loopback.
	Listen string
	// Secret that AWS and Azure SDKs send: the pod's UID.
	Secret string
	// TokenDir holds the subject tokens, in files named aws, gcp, azure and
	// oidc-<token source>.
	TokenDir string
	// Endpoints, where they are not the clouds' own.
	AWSSTSEndpoint, GCPSTSEndpoint, GCPIAMCredentialsEndpoint, AzureAuthorityHost string
	// GCPUniverseDomain is the domain of Google's APIs, where it is not the public one.
	GCPUniverseDomain string
	// What the metadata server says of the machine; empty: nothing.
	GCPInstanceID, GCPInstanceName, GCPInstanceZone string
	// CABundle is PEM, or the path of a file with it.
	CABundle string
	// AWSIMDS, "true": AWS credentials are served in IMDSv2's shape too.
	AWSIMDS string
	// MetricsListen is host:port for Prometheus; empty: no metrics.
	MetricsListen string
	// StrictStart, "true": the pod does not start without its credentials.
	StrictStart string
	// LogLevel is debug, info, warn or error; LogFormat json or text.
	LogLevel, LogFormat string

	// Version of this binary, for who asks.
	Version string
}

// setting is one of Config's fields, for flags, variables and help alike.
type setting struct {
	name  string
	field func(*Config) *string
	value string // default
	usage string
}

var settings = []setting{
	{"identities", func(c *Config) *string { return &c.Identities }, "", "cloud `identities`: JSON, or a file with it (required)"},
	{"listen", func(c *Config) *string { return &c.Listen }, DefaultListen, "loopback `address` to serve on"},
	{"secret", func(c *Config) *string { return &c.Secret }, "", "`value` that AWS and Azure SDKs must send; in a pod, its UID (required)"},
	{"token-dir", func(c *Config) *string { return &c.TokenDir }, DefaultTokenDir, "`directory` of the subject tokens: files aws, gcp, azure, oidc-<token source>"},
	{"aws-sts-endpoint", func(c *Config) *string { return &c.AWSSTSEndpoint }, "", "`URL` of AWS STS, if not the region's own"},
	{"gcp-universe-domain", func(c *Config) *string { return &c.GCPUniverseDomain }, "", "`domain` of Google's APIs, if not googleapis.com"},
	{"gcp-sts-endpoint", func(c *Config) *string { return &c.GCPSTSEndpoint }, "", "`URL` of Google's STS, if not Google's own"},
	{"gcp-iam-credentials-endpoint", func(c *Config) *string { return &c.GCPIAMCredentialsEndpoint }, "", "`URL` of Google's IAM credentials API, if not Google's own"},
	{"gcp-instance-id", func(c *Config) *string { return &c.GCPInstanceID }, "", "`number` that Google's metadata server gives as the machine's ID"},
	{"gcp-instance-name", func(c *Config) *string { return &c.GCPInstanceName }, "", "`name` that it gives as the machine's"},
	{"gcp-instance-zone", func(c *Config) *string { return &c.GCPInstanceZone }, "", "`zone` that it gives, such as europe-west3-a"},
	{"azure-authority-host", func(c *Config) *string { return &c.AzureAuthorityHost }, "", "`URL` of Entra, if not the public cloud's"},
	{"ca-bundle", func(c *Config) *string { return &c.CABundle }, "", "further CAs to trust: `PEM`, or a file with it"},
	{"aws-imds", func(c *Config) *string { return &c.AWSIMDS }, "false", "true: serve AWS credentials in IMDSv2's shape too, for tools that know nothing else"},
	{"metrics-listen", func(c *Config) *string { return &c.MetricsListen }, "", "`address` for Prometheus metrics; default: none"},
	{"strict-start", func(c *Config) *string { return &c.StrictStart }, "false", "true: ready only with credentials, and end where they are refused for good"},
	{"log-level", func(c *Config) *string { return &c.LogLevel }, "info", "debug, info, warn or error"},
	{"log-format", func(c *Config) *string { return &c.LogFormat }, "json", "json or text"},
}

// Variable is the environment variable of a flag: PODPASS_AWS_STS_ENDPOINT of
// aws-sts-endpoint.
func Variable(flag string) string {
	return "PODPASS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Flags binds Config to flags whose defaults are the variables' values.
func Flags(fs *flag.FlagSet, getenv func(string) string) *Config {
	c := new(Config)
	for _, s := range settings {
		value := getenv(Variable(s.name))
		if value == "" {
			value = s.value
		}
		*s.field(c) = value
		// Not StringVar: --help would print the default, and the secret is one.
		fs.Func(s.name, s.usage+" ["+Variable(s.name)+"]", func(v string) error {
			*s.field(c) = v
			return nil
		})
	}
	return c
}

// loaded is a Config whose values were read and checked.
type loaded struct {
	Config
	identities serviceaccount.Identities
	caBundle   []byte
	strict     bool
	imds       bool
	instance   gcpapi.Instance
	log        *slog.Logger
}

// load reads and checks everything, and reports all problems at once.
func (c Config) load(logTo io.Writer) (loaded, error) {
	l := loaded{Config: c}
	var errs []error
	var err error
	need := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	need(c.loadIdentities(&l.identities))
	need(CheckListen(c.Listen))
	for _, s := range []struct {
		name, value string
		into        *bool
	}{{"strict-start", c.StrictStart, &l.strict}, {"aws-imds", c.AWSIMDS, &l.imds}} {
		if *s.into, err = strconv.ParseBool(cmp.Or(s.value, "false")); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is neither true nor false", s.name, s.value))
		}
	}
	if c.Secret == "" {
		errs = append(errs, errors.New("secret is required: set "+Variable("secret")+" or --secret to a value that only this pod knows"))
	}
	if l.caBundle, err = textOrFile(c.CABundle, "-----BEGIN"); err != nil {
		errs = append(errs, fmt.Errorf("ca-bundle: %w", err))
	}
	for name, url := range map[string]string{
		"aws-sts-endpoint": c.AWSSTSEndpoint, "gcp-sts-endpoint": c.GCPSTSEndpoint,
		"gcp-iam-credentials-endpoint": c.GCPIAMCredentialsEndpoint, "azure-authority-host": c.AzureAuthorityHost,
	} {
		if url != "" {
			if err := endpoint.Check(url); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	need(c.loadGoogle(&l.instance))
	l.log, err = c.logger(logTo)
	need(err)
	return l, errors.Join(errs...)
}

func (c Config) loadIdentities(into *serviceaccount.Identities) error {
	if c.Identities == "" {
		return errors.New("identities are required: set " + Variable("identities") + " or --identities to JSON, or to a file with it")
	}
	raw, err := textOrFile(c.Identities, "{")
	if err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // a misspelt field must not silently mean nothing
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("identities: not the JSON that was expected: %w", err)
	}
	if *into == (serviceaccount.Identities{}) {
		return errors.New("identities: none of aws, gcp, azure, oidc is there")
	}
	if into.OIDC != nil {
		for _, s := range into.OIDC.Sources {
			if err := s.Validate(); err != nil {
				return fmt.Errorf("identities: token source %q: %w", s.Name, err)
			}
		}
	}
	return nil
}

// loadGoogle reads what Google's metadata server says besides the identity.
func (c Config) loadGoogle(into *gcpapi.Instance) error {
	*into = gcpapi.Instance{Name: c.GCPInstanceName, Zone: c.GCPInstanceZone}
	var errs []error
	if c.GCPInstanceID != "" {
		var err error
		if into.ID, err = strconv.ParseUint(c.GCPInstanceID, 10, 64); err != nil {
			errs = append(errs, fmt.Errorf("gcp-instance-id: %q is not a number", c.GCPInstanceID))
		}
	}
	if c.GCPInstanceZone != "" && !gcp.ValidZone(c.GCPInstanceZone) {
		errs = append(errs, fmt.Errorf("gcp-instance-zone: %q is not a zone such as europe-west3-a", c.GCPInstanceZone))
	}
	if c.GCPUniverseDomain != "" && !gcp.ValidUniverse(c.GCPUniverseDomain) {
		errs = append(errs, fmt.Errorf("gcp-universe-domain: %q is not a domain such as %s", c.GCPUniverseDomain, gcp.DefaultUniverse))
	}
	return errors.Join(errs...)
}

// CheckListen refuses an address that is not loopback: whoever reaches the
// endpoint can have the pod's credentials.
func CheckListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port", address)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("listen: %q is not a loopback address: use 127.0.0.1 or ::1", address)
	}
	return nil
}

// textOrFile gives s itself if it begins as such a text does, else the content of
// the file called s.
func textOrFile(s, begins string) ([]byte, error) {
	if s == "" || strings.HasPrefix(strings.TrimSpace(s), begins) {
		return []byte(s), nil
	}
	f, err := os.Open(s)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", s, maxFile)
	}
	return b, err
}

func (c Config) logger(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("log-level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(to, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(to, options)), nil
	}
	return nil, fmt.Errorf("log-format: %q is neither json nor text", c.LogFormat)
}
