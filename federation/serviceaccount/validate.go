package serviceaccount

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/kube"
)

var globPattern = regexp.MustCompile(GlobPattern)

// Validate reports all that is wrong with the administrator's settings, each
// problem with the name of its chart value. It shows no URL that may have a password.
func (in Installation) Validate() error {
	var p problems
	p.bad(chosen(in.Mode, Modes()), "mode: %q is neither broker nor direct", in.Mode)
	p.bad(in.TokenExpiration == 0 || in.TokenExpiration >= MinTokenExpiration && in.TokenExpiration <= MaxTokenExpiration, "tokenExpiration: %d is not in 600..86400 seconds", in.TokenExpiration)
	p.bad(in.BrokerPort == 0 || in.BrokerPort >= MinPort && in.BrokerPort <= MaxPort, "brokerPort: %d is not in 1024..65535", in.BrokerPort)
	p.bad(chosen(in.StaticKeys, StaticKeysChoices()), "staticKeys: %q is none of warn, override, deny", in.StaticKeys)
	p.aws(in.AWS)
	p.gcp(in.GCP)
	p.azure(in.Azure)
	for _, name := range slices.Sorted(maps.Keys(in.OIDC.TokenSources)) {
		s := in.OIDC.TokenSources[name]
		p.bad(s.Name == "", "oidc.tokenSources.%s.name: the key is the name", name)
		s.Name = name
		p.add("oidc.tokenSources."+name, s.Validate())
	}
	p.kube(in.Kube)
	for i, m := range in.Mappings {
		p.mapping(fmt.Sprintf("mappings[%d]", i), m)
		for _, problem := range in.try(m) {
			p.bad(false, "mappings[%d].annotations: %s", i, problem)
		}
	}
	return errors.Join(p...)
}

// problems of settings.
type problems []error

// bad adds a problem unless it is none.
func (p *problems) bad(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

// add adds an error, if there is one, of the setting at.
func (p *problems) add(at string, err error) {
	if err != nil {
		*p = append(*p, fmt.Errorf("%s: %w", at, err))
	}
}

// url adds what is wrong with an endpoint, if one is set.
func (p *problems) url(at, url string) {
	if url != "" {
		p.add(at, endpoint.Check(url))
	}
}

func chosen[T ~string](s T, among []T) bool { return s == "" || slices.Contains(among, s) }

func (p *problems) audience(at, s string) {
	p.bad(utf8.RuneCountInString(s) <= MaxAudience, "%s: longer than %d characters", at, MaxAudience)
	p.bad(audiencePattern().MatchString(s), "%s: has a character that is not printable ASCII", at)
}

func (p *problems) aws(in AWSInstallation) {
	p.audience("aws.audience", in.Audience)
	p.bad(in.Region == "" || aws.ValidRegion(in.Region), "aws.region: %q is not a region", in.Region)
	if name := in.Partition; name != "" {
		_, listed := in.STSEndpoints[name]
		p.bad(aws.ValidPartition(name) && (listed || aws.IsAWSPartition(name)), "aws.partition: %q is neither AWS's nor listed in aws.stsEndpoints", name)
	}
	p.bad(in.AccountID == "" || aws.ValidAccount(in.AccountID), "aws.accountID: %q must have twelve digits (quote it in YAML)", in.AccountID)
	for _, tag := range []struct{ at, text string }{{"aws.clusterARN", in.ClusterARN}, {"aws.clusterName", in.ClusterName}} {
		p.bad(tag.text == "" || aws.ValidTag(tag.text), "%s: %q cannot be the value of a session tag: want at most 256 letters, digits, spaces and _.:/=+@-", tag.at, tag.text)
	}
	for _, partition := range slices.Sorted(maps.Keys(in.STSEndpoints)) {
		at, url := "aws.stsEndpoints."+partition, in.STSEndpoints[partition]
		p.bad(aws.ValidPartition(partition), "%s: is not the partition of an ARN", at)
		p.bad(url != "", "%s: want the URL of its STS", at)
		p.url(at, url)
	}
}

func (p *problems) gcp(in GCPInstallation) {
	p.audience("gcp.audience", in.Audience)
	if name := in.DefaultProvider; name != "" {
		_, err := gcp.ParseProvider(name)
		p.bad(err == nil, "gcp.defaultProvider: %q: %v", name, err)
	}
	p.bad((in.FleetPool == "") == (in.FleetIdentityProvider == ""), "gcp.fleetPool and gcp.fleetIdentityProvider belong together: set both or none")
	if in.FleetPool != "" && in.FleetIdentityProvider != "" {
		_, err := gcp.ParseProvider("identitynamespace:" + in.FleetPool + ":" + in.FleetIdentityProvider)
		p.add("gcp.fleetIdentityProvider", err)
	}
	p.bad(in.Project == "" || gcp.ValidProject(in.Project), "gcp.project: %q is not a project ID", in.Project)
	p.bad(in.Region == "" || gcp.ValidRegion(in.Region), "gcp.region: %q is not a region such as europe-west3", in.Region)
	p.bad(in.Zone == "" || gcp.ValidZone(in.Zone), "gcp.zone: %q is not a zone such as europe-west3-a", in.Zone)
	p.bad(chosen(in.GKEAnnotation, Switches()), "gcp.gkeAnnotation: %q is none of auto, on, off", in.GKEAnnotation)
	p.bad(in.UniverseDomain == "" || gcp.ValidUniverse(in.UniverseDomain), "gcp.universeDomain: %q is not a domain such as googleapis.com", in.UniverseDomain)
	p.url("gcp.stsEndpoint", in.STSEndpoint)
	p.url("gcp.iamCredentialsEndpoint", in.IAMCredentialsEndpoint)
}

func (p *problems) azure(in AzureInstallation) {
	p.audience("azure.audience", in.Audience)
	p.bad(in.TenantID == "" || azure.ValidTenantID(in.TenantID), "azure.tenantID: %q is neither a GUID nor a domain name", in.TenantID)
	p.url("azure.authorityHost", in.AuthorityHost)
	// MSAL takes no authority without TLS, not even on loopback.
	p.bad(!strings.HasPrefix(in.AuthorityHost, "http://"), "azure.authorityHost: must be https")
	p.bad(in.ProbeResource == "" || azure.ValidResource(in.ProbeResource), "azure.probeResource: %.80q is not the URI or ID of a resource", in.ProbeResource)
}

func (p *problems) kube(in KubeInstallation) {
	p.bad(len(in.Clusters) <= kube.MaxClusters, "kube.clusters: %d, more than %d", len(in.Clusters), kube.MaxClusters)
	for _, name := range slices.Sorted(maps.Keys(in.Clusters)) {
		c := in.Clusters[name]
		c.Name = name
		p.add("kube.clusters."+name, c.Validate())
	}
}

func (p *problems) mapping(at string, m Mapping) {
	for _, glob := range []struct{ of, text string }{{"namespace", m.Namespace}, {"serviceAccount", m.ServiceAccount}} {
		p.bad(globPattern.MatchString(glob.text), "%s: %s %q is no glob of names: want one like team-*", at, glob.of, glob.text)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Annotations)) {
		k, _ := keyOf(key)
		p.bad(k.OnServiceAccount(), "%s.annotations: %q is not a key of ServiceAccounts that podpass knows", at, key)
		p.bad(len(m.Annotations[key]) <= maxValue, "%s.annotations: %s is longer than 4096 characters", at, key)
	}
}

// try resolves what a mapping gives to a ServiceAccount without annotations: a bad
// value would else deny the pods of people who cannot mend it.
func (in Installation) try(m Mapping) []Problem {
	in.Mappings = []Mapping{{Namespace: "*", ServiceAccount: "*", Annotations: m.Annotations}}
	return Resolve(Request{Namespace: m.Namespace, Name: m.ServiceAccount, AnyPod: true}, in).Errors
}

// Compiled when it is first used: a pod's broker has no use for it.
var audiencePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(AudiencePattern) })
