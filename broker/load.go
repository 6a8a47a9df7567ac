package broker

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"

	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// loaded is a Config whose values were read and checked.
type loaded struct {
	Config
	identities serviceaccount.Identities
	caBundle   []byte
	strict     bool
	imds       bool
	aws        aws.Endpoints
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
	}{{"strict-start", c.StrictStart, &l.strict}, {"aws-imds", c.AWSIMDS, &l.imds},
		{"aws-use-fips-endpoint", c.AWSUseFIPSEndpoint, &l.aws.FIPS}, {"aws-use-dualstack-endpoint", c.AWSUseDualStackEndpoint, &l.aws.DualStack}} {
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
	if c.AzureProbeResource != "" && !azure.ValidResource(c.AzureProbeResource) {
		errs = append(errs, fmt.Errorf("azure-probe-resource: %.80q is not the URI or ID of a resource", c.AzureProbeResource))
	}
	l.log, err = c.logger(logTo)
	need(err)
	return l, errors.Join(errs...)
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
