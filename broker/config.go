// Package broker is the sidecar: it reads the pod's bound tokens, trades them for
// cloud credentials, and serves these on loopback in the protocols that cloud
// SDKs speak.
package broker

import (
	"flag"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// DefaultTokenDir is where the webhook puts the broker's tokens.
const DefaultTokenDir = "/var/run/secrets/podpass.io/tokens"

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
	// AzureProbeResource is what the broker asks Entra for at the pod's start; default:
	// Azure Resource Manager.
	AzureProbeResource string
	// GCPUniverseDomain is the domain of Google's APIs, where it is not the public one.
	GCPUniverseDomain string
	// What the metadata server says of the machine; empty: nothing.
	GCPInstanceID, GCPInstanceName, GCPInstanceZone string
	// CABundle is PEM, or the path of a file with it.
	CABundle string
	// AWSUseFIPSEndpoint and AWSUseDualStackEndpoint, "true": of AWS's own endpoints of STS
	// those with validated cryptography, or with IPv6 addresses.
	AWSUseFIPSEndpoint, AWSUseDualStackEndpoint string
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
	{"listen", func(c *Config) *string { return &c.Listen }, "127.0.0.1:" + strconv.Itoa(serviceaccount.DefaultBrokerPort), "loopback `address` to serve on"},
	{"secret", func(c *Config) *string { return &c.Secret }, "", "`value` that AWS and Azure SDKs must send; in a pod, its UID (required)"},
	{"token-dir", func(c *Config) *string { return &c.TokenDir }, DefaultTokenDir, "`directory` of the subject tokens: files aws, gcp, azure, oidc-<token source>"},
	{"aws-sts-endpoint", func(c *Config) *string { return &c.AWSSTSEndpoint }, "", "`URL` of AWS STS, if not the region's own"},
	{"aws-use-fips-endpoint", func(c *Config) *string { return &c.AWSUseFIPSEndpoint }, "false", "true: of AWS's own endpoints of STS that with cryptography validated by FIPS 140"},
	{"aws-use-dualstack-endpoint", func(c *Config) *string { return &c.AWSUseDualStackEndpoint }, "false", "true: of AWS's own endpoints of STS that with IPv6 addresses too"},
	{"gcp-universe-domain", func(c *Config) *string { return &c.GCPUniverseDomain }, "", "`domain` of Google's APIs, if not googleapis.com"},
	{"gcp-sts-endpoint", func(c *Config) *string { return &c.GCPSTSEndpoint }, "", "`URL` of Google's STS, if not Google's own"},
	{"gcp-iam-credentials-endpoint", func(c *Config) *string { return &c.GCPIAMCredentialsEndpoint }, "", "`URL` of Google's IAM credentials API, if not Google's own"},
	{"gcp-instance-id", func(c *Config) *string { return &c.GCPInstanceID }, "", "`number` that Google's metadata server gives as the machine's ID"},
	{"gcp-instance-name", func(c *Config) *string { return &c.GCPInstanceName }, "", "`name` that it gives as the machine's"},
	{"gcp-instance-zone", func(c *Config) *string { return &c.GCPInstanceZone }, "", "`zone` that it gives, such as europe-west3-a"},
	{"azure-authority-host", func(c *Config) *string { return &c.AzureAuthorityHost }, "", "`URL` of Entra, if not the public cloud's"},
	{"azure-probe-resource", func(c *Config) *string { return &c.AzureProbeResource }, "", "`resource` by which trust is tried at the start, if not Azure Resource Manager"},
	{"ca-bundle", func(c *Config) *string { return &c.CABundle }, "", "further CAs to trust: `PEM`, or a file with it"},
	{"aws-imds", func(c *Config) *string { return &c.AWSIMDS }, "false", "true: serve AWS credentials in IMDSv2's shape too, for tools that know nothing else"},
	{"metrics-listen", func(c *Config) *string { return &c.MetricsListen }, "", "`address` for Prometheus metrics; default: none"},
	{"strict-start", func(c *Config) *string { return &c.StrictStart }, "false", "true: ready only with credentials, and end where they are refused for good"},
	{"log-level", func(c *Config) *string { return &c.LogLevel }, "info", "debug, info, warn or error"},
	{"log-format", func(c *Config) *string { return &c.LogFormat }, "json", "json or text"},
}

// Variable is the environment variable of a flag: PODPASS_AWS_STS_ENDPOINT of
// aws-sts-endpoint.
func Variable(name string) string {
	return "PODPASS_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
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
