package inject

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Settings are the administrator's: the webhook's configuration file, which the
// chart writes from its values. Names and nesting are the same as there.
type Settings struct {
	serviceaccount.Installation `json:",inline"`

	// UserErrors says what becomes of a pod with a user error: deny, the default; or
	// warn, for the time in which podpass is new to a cluster: the pod is admitted
	// without an identity, and the warnings say for what it would be denied.
	UserErrors string `json:"userErrors,omitempty"`
	// Broker is the sidecar; its port is brokerPort, since pods may choose it too.
	Broker BrokerSettings `json:"broker,omitzero"`
	// CABundle, in PEM, is trusted by the broker in addition to the system's roots,
	// for installations whose endpoints have a private CA. LoadSettings gives it
	// without the comments between its blocks.
	CABundle string `json:"caBundle,omitempty"`
}

// What settings consist of, for the chart's schema too.
const (
	// RepositoryPattern is an image's name without tag and digest, TagPattern its tag, and
	// DigestPattern its digest. What is none of them kubelet would only call an
	// InvalidImageName, in every pod of the cluster.
	RepositoryPattern = `^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`
	TagPattern        = `^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`
	DigestPattern     = `^sha256:[0-9a-f]{64}$`
	// ContainerPattern is the name of a container, of at most 63 characters, and
	// SecretPattern that of a Secret, of at most 253.
	ContainerPattern = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	SecretPattern    = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`
	MaxContainer     = 63
	MaxSecret        = 253
	// MaxUser is the highest user ID that Kubernetes takes.
	MaxUser = 1<<31 - 1
)

// PullPolicies are the values of BrokerSettings.ImagePullPolicy.
func PullPolicies() []string { return []string{"Always", "IfNotPresent", "Never"} }

// LogLevels are the values of BrokerSettings.LogLevel.
func LogLevels() []string { return []string{"debug", "info", "warn", "error"} }

// UserErrorsChoices are the values of Settings.UserErrors.
func UserErrorsChoices() []string { return []string{UserErrorsDeny, UserErrorsWarn} }

// Values of Settings.UserErrors.
const (
	UserErrorsDeny = "deny"
	UserErrorsWarn = "warn"
)

// Source gives the settings that are in force, which may change. It is safe for
// concurrent use.
type Source func() Settings

// Fixed gives settings that do not change.
func Fixed(s Settings) Source { return func() Settings { return s } }

// BrokerSettings are how the sidecar runs.
type BrokerSettings struct {
	// Image of the broker; required. It also writes files in direct mode.
	Image string `json:"image"`
	// ImagePullPolicy; default: Kubernetes' own for the image's tag.
	ImagePullPolicy string `json:"imagePullPolicy,omitempty"`
	// ImagePullSecrets are names of Secrets for the image's registry, added to the pods. They
	// have to be in the pods' own namespaces; podpass copies none.
	ImagePullSecrets []string `json:"imagePullSecrets,omitempty"`
	// LogLevel: debug, info, warn or error; default: the broker's own, info.
	LogLevel string `json:"logLevel,omitempty"`
	// MetricsPort of the broker's Prometheus metrics, on the pod's IP; 0: none.
	MetricsPort int `json:"metricsPort,omitempty"`
	// After are names of init containers after which the broker starts where a pod has
	// them, because the pod's network comes with them; besides the proxies of known
	// service meshes.
	After []string `json:"after,omitempty"`
	// Proxy by which the broker reaches the clouds; default: none.
	Proxy ProxySettings `json:"proxy,omitzero"`
	// Resources; what they leave out is as in [DefaultResources].
	Resources Resources `json:"resources,omitzero"`
	// NamespaceResources are those of single namespaces; what they leave out is as in
	// Resources. The first that matches counts.
	NamespaceResources []NamespaceResources `json:"namespaceResources,omitempty"`
	// RunAsUser is the sidecar's user and group; default 65532. -1 leaves both out,
	// for platforms that assign a user themselves and refuse any other (OpenShift).
	RunAsUser int64 `json:"runAsUser,omitempty"`
}

// defaultUser is the customary non-root user of distroless images, and the broker
// image's own.
const defaultUser = 65532

// LoadSettings reads a configuration file in YAML, or JSON. Keys that it does not
// know are errors, so that a misspelt one is not silently without effect. The
// error names every problem, by the path of the chart's value.
func LoadSettings(b []byte) (Settings, error) {
	raw, err := yaml.YAMLToJSONStrict(b)
	if err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	var s Settings
	// Not yaml.UnmarshalStrict, which names neither the path nor more than one problem.
	unknown, err := json.UnmarshalStrict(raw, &s)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	if err := s.Validate(); err != nil {
		return Settings{}, fmt.Errorf("settings: %w", err)
	}
	s.CABundle, _ = s.plainCABundle() // its error is one of Validate's
	for name, c := range s.Kube.Clusters {
		c.CABundle, _ = c.PlainCABundle()
		s.Kube.Clusters[name] = c
	}
	return s, nil
}

var (
	repositoryPattern = regexp.MustCompile(RepositoryPattern)
	tagPattern        = regexp.MustCompile(TagPattern)
	digestPattern     = regexp.MustCompile(DigestPattern)
	containerPattern  = regexp.MustCompile(ContainerPattern)
)

// validReference reports whether s names an image: repository, tag and digest, of which
// one or both may be left out.
func validReference(s string) bool {
	rest, digest, pinned := strings.Cut(s, "@")
	if pinned && !digestPattern.MatchString(digest) {
		return false
	}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		if !tagPattern.MatchString(rest[i+1:]) {
			return false
		}
		rest = rest[:i]
	}
	return repositoryPattern.MatchString(rest)
}

// Validate reports all problems at once, each by the path of its chart value.
func (s Settings) Validate() error {
	errs := []error{s.Installation.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.UserErrors != "" && !slices.Contains(UserErrorsChoices(), s.UserErrors) {
		bad("userErrors: %q is neither deny nor warn", s.UserErrors)
	}
	b := s.Broker
	switch {
	case b.Image == "":
		bad("broker.image: required")
	case !validReference(b.Image):
		bad("broker.image: %q is not an image reference: want repository:tag or repository@sha256:digest", b.Image)
	}
	if b.ImagePullPolicy != "" && !slices.Contains(PullPolicies(), b.ImagePullPolicy) {
		bad("broker.imagePullPolicy: %q; want Always, IfNotPresent or Never", b.ImagePullPolicy)
	}
	for i, name := range b.ImagePullSecrets {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			bad("broker.imagePullSecrets[%d]: %.80q is not the name of a Secret", i, name)
		}
	}
	if b.LogLevel != "" && !slices.Contains(LogLevels(), b.LogLevel) {
		bad("broker.logLevel: %q; want debug, info, warn or error", b.LogLevel)
	}
	if b.MetricsPort != 0 && (b.MetricsPort < serviceaccount.MinPort || b.MetricsPort > serviceaccount.MaxPort) {
		bad("broker.metricsPort: %d; want 1024 to 65535, or 0 for none", b.MetricsPort)
	}
	for i, name := range b.After {
		if len(name) > MaxContainer || !containerPattern.MatchString(name) {
			bad("broker.after[%d]: %.80q is not the name of a container", i, name)
		}
	}
	if b.MetricsPort == cmp.Or(s.BrokerPort, serviceaccount.DefaultBrokerPort) {
		bad("broker.metricsPort: %d is brokerPort, on which the broker listens for applications; choose another", b.MetricsPort)
	}
	if b.RunAsUser < -1 || b.RunAsUser > MaxUser {
		bad("broker.runAsUser: %d; want a user ID from 1 to 2147483647, or -1 to let the platform choose", b.RunAsUser)
	}
	errs = append(errs, b.Proxy.validate()...)
	errs = append(errs, b.validateResources()...)
	if _, err := s.plainCABundle(); err != nil {
		bad("caBundle: %w", err)
	}
	return errors.Join(errs...)
}

// plainCABundle is CABundle as every pod carries it.
func (s Settings) plainCABundle() (string, error) {
	if s.CABundle == "" {
		return "", nil
	}
	plain, err := endpoint.ParseCABundle([]byte(s.CABundle))
	return string(plain), err
}

// user is the broker's; nil: the platform's to choose.
func (b BrokerSettings) user() *int64 {
	switch u := b.RunAsUser; u {
	case -1:
		return nil
	case 0:
		u = defaultUser
		return &u
	default:
		return &u
	}
}
