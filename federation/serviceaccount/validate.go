package serviceaccount

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
)

// Validate reports all that is wrong with the administrator's settings, each
// problem with the name of its chart value.
func (in Installation) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	checkURL := func(name, url string) {
		if url == "" {
			return
		}
		if err := endpoint.Check(url); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	bad(slices.Contains([]Mode{"", ModeBroker, ModeDirect}, in.Mode), "mode: %q is neither broker nor direct", in.Mode)
	bad(in.TokenExpiration == 0 || in.TokenExpiration >= 600 && in.TokenExpiration <= 86400, "tokenExpiration: %d is not in 600..86400 seconds", in.TokenExpiration)
	bad(in.BrokerPort == 0 || in.BrokerPort >= 1024 && in.BrokerPort <= 65535, "brokerPort: %d is not in 1024..65535", in.BrokerPort)
	bad(slices.Contains([]StaticKeys{"", StaticKeysWarn, StaticKeysOverride, StaticKeysDeny}, in.StaticKeys), "staticKeys: %q is none of warn, override, deny", in.StaticKeys)

	bad(in.AWS.Region == "" || aws.ValidRegion(in.AWS.Region), "aws.region: %q is not a region", in.AWS.Region)
	if p := in.AWS.Partition; p != "" {
		_, listed := in.AWS.STSEndpoints[p]
		bad(aws.ValidPartition(p) && (listed || aws.IsAWSPartition(p)), "aws.partition: %q is neither AWS's nor listed in aws.stsEndpoints", p)
	}
	bad(in.AWS.AccountID == "" || aws.ValidAccount(in.AWS.AccountID), "aws.accountID: %q must have twelve digits (quote it in YAML)", in.AWS.AccountID)
	for name, tag := range map[string]string{"aws.clusterARN": in.AWS.ClusterARN, "aws.clusterName": in.AWS.ClusterName} {
		bad(tag == "" || aws.ValidTag(tag), "%s: %q cannot be the value of a session tag: want at most 256 letters, digits, spaces and _.:/=+@-", name, tag)
	}
	for _, partition := range slices.Sorted(maps.Keys(in.AWS.STSEndpoints)) {
		name, url := "aws.stsEndpoints."+partition, in.AWS.STSEndpoints[partition]
		bad(aws.ValidPartition(partition), "%s: is not the partition of an ARN", name)
		bad(url != "", "%s: want the URL of its STS", name)
		checkURL(name, url)
	}

	if p := in.GCP.DefaultProvider; p != "" {
		_, err := gcp.ParseProvider(p)
		bad(err == nil, "gcp.defaultProvider: %q: %v", p, err)
	}
	bad((in.GCP.FleetPool == "") == (in.GCP.FleetIdentityProvider == ""), "gcp.fleetPool and gcp.fleetIdentityProvider belong together: set both or none")
	if g := in.GCP; g.FleetPool != "" && g.FleetIdentityProvider != "" {
		_, err := gcp.ParseProvider("identitynamespace:" + g.FleetPool + ":" + g.FleetIdentityProvider)
		bad(err == nil, "gcp.fleetIdentityProvider: %v", err)
	}
	bad(in.GCP.Project == "" || gcp.ValidProject(in.GCP.Project), "gcp.project: %q is not a project ID", in.GCP.Project)
	bad(in.GCP.Zone == "" || gcp.ValidZone(in.GCP.Zone), "gcp.zone: %q is not a zone such as europe-west3-a", in.GCP.Zone)
	bad(slices.Contains([]string{"", "auto", "on", "off"}, in.GCP.GKEAnnotation), "gcp.gkeAnnotation: %q is none of auto, on, off", in.GCP.GKEAnnotation)
	bad(in.GCP.UniverseDomain == "" || gcp.ValidUniverse(in.GCP.UniverseDomain), "gcp.universeDomain: %q is not a domain such as googleapis.com", in.GCP.UniverseDomain)
	checkURL("gcp.stsEndpoint", in.GCP.STSEndpoint)
	checkURL("gcp.iamCredentialsEndpoint", in.GCP.IAMCredentialsEndpoint)

	bad(in.Azure.TenantID == "" || azure.ValidTenantID(in.Azure.TenantID), "azure.tenantID: %q is neither a GUID nor a domain name", in.Azure.TenantID)
	checkURL("azure.authorityHost", in.Azure.AuthorityHost)
	// MSAL takes no authority without TLS, not even on loopback.
	bad(!strings.HasPrefix(in.Azure.AuthorityHost, "http://"), "azure.authorityHost: must be https")

	bad(in.Azure.ProbeResource == "" || azure.ValidResource(in.Azure.ProbeResource), "azure.probeResource: %.80q is not the URI or ID of a resource", in.Azure.ProbeResource)

	for _, name := range slices.Sorted(maps.Keys(in.OIDC.TokenSources)) {
		s := in.OIDC.TokenSources[name]
		bad(s.Name == "", "oidc.tokenSources.%s.name: the key is the name", name)
		s.Name = name
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("oidc.tokenSources.%s: %w", name, err))
		}
	}

	for i, m := range in.Mappings {
		_, err1 := path.Match(m.Namespace, "")
		_, err2 := path.Match(m.ServiceAccount, "")
		bad(err1 == nil && err2 == nil && m.Namespace != "" && m.ServiceAccount != "", "mappings[%d]: namespace and serviceAccount must be globs", i)
		for _, key := range slices.Sorted(maps.Keys(m.Annotations)) {
			k, _ := keyOf(key)
			bad(k.onServiceAccount(), "mappings[%d].annotations: %q is not a key of ServiceAccounts that podpass knows", i, key)
			bad(len(m.Annotations[key]) <= maxValue, "mappings[%d].annotations: %s is longer than 4096 characters", i, key)
		}
		for _, p := range in.try(m) {
			bad(false, "mappings[%d].annotations: %s", i, p)
		}
	}
	return errors.Join(errs...)
}

// try resolves what a mapping gives to a ServiceAccount without annotations: a bad
// value would else deny the pods of people who cannot mend it.
func (in Installation) try(m Mapping) []Problem {
	in.Mappings = []Mapping{{Namespace: "*", ServiceAccount: "*", Annotations: m.Annotations}}
	return Resolve(Request{Namespace: m.Namespace, Name: m.ServiceAccount, AnyPod: true}, in).Errors
}
