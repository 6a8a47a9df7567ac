package inject

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	brokerContainer = "podpass-broker"
	brokerBinary    = "/podpass-broker"
	tokensVolume    = "podpass-tokens"
	tokensDir       = "/var/run/secrets/podpass.io/tokens"
)

func (pl *planner) brokerHost() string { return "127.0.0.1:" + strconv.Itoa(pl.port) }
func (pl *planner) brokerURL() string  { return "http://" + pl.brokerHost() }

// sidecar is the broker: a native sidecar, so that it is ready before the user's
// own init containers and a Job ends without it.
func (pl *planner) sidecar() (container, error) {
	identities, err := json.Marshal(pl.brokered())
	if err != nil {
		return container{}, fmt.Errorf("encode identities: %w", err)
	}
	c := pl.ownContainer(brokerContainer)
	c.Command = []string{brokerBinary}
	c.RestartPolicy = "Always"
	if p := pl.settings.Broker.MetricsPort; p != 0 {
		c.Ports = []port{{Name: "podpass-metrics", ContainerPort: p}} // for a PodMonitor
	}
	c.Env = append(withValues(
		literal("PODPASS_IDENTITIES", string(identities)),
		literal("PODPASS_LISTEN", pl.brokerHost()),
		podUID("PODPASS_SECRET"),
		literal("PODPASS_TOKEN_DIR", tokensDir),
	), pl.brokerEndpoints()...)
	c.VolumeMounts = []volumeMount{{Name: tokensVolume, MountPath: tokensDir, ReadOnly: true}, noAPIToken(tokensVolume)}
	c.StartupProbe = &probe{
		// By exec: kubelet cannot reach the pod's loopback. Each try starts a process
		// in the container, so the probe ends for good with its first success, and
		// nothing is probed afterwards.
		Exec:           execAction{Command: []string{brokerBinary, "health"}},
		PeriodSeconds:  1,
		TimeoutSeconds: 5, // the try itself waits for up to four
		// Ready means that each cloud has answered once. While one does not, the pod
		// waits two minutes, longer than a provider's hiccup, before kubelet restarts
		// the sidecar and with it the wait.
		FailureThreshold: 24,
	}
	return c, nil
}

// brokered are the identities that the broker serves: all that are asked for in
// broker mode, whether or not a container of now uses them, because a container
// that another webhook adds later cannot change the sidecar any more.
func (pl *planner) brokered() serviceaccount.Identities {
	var ids serviceaccount.Identities
	for _, d := range pl.deliveries {
		if d.Mode != serviceaccount.ModeBroker {
			continue
		}
		switch d.Cloud {
		case "aws":
			ids.AWS = &pl.answer.AWS.Identity
		case "gcp":
			ids.GCP = &pl.answer.GCP.Identity
		case "azure":
			ids.Azure = &pl.answer.Azure.Identity
		case "oidc":
			ids.OIDC = &pl.answer.OIDC.Identity
		}
	}
	return ids
}

// brokerEndpoints are the administrator's settings of where tokens are sent, and
// of how the broker runs; none is set for a cloud that it does not serve.
func (pl *planner) brokerEndpoints() []envVar {
	s := pl.settings
	ids := pl.brokered()
	var list []envVar
	if ids.AWS != nil {
		list = append(list,
			literal("PODPASS_AWS_STS_ENDPOINT", s.AWS.STSEndpoint(ids.AWS.RoleARN)),
			literal("PODPASS_AWS_USE_FIPS_ENDPOINT", only(s.AWS.UseFIPSEndpoint)),
			literal("PODPASS_AWS_USE_DUALSTACK_ENDPOINT", only(s.AWS.UseDualStackEndpoint)))
		if pl.answer.AWS.IMDS {
			list = append(list, literal("PODPASS_AWS_IMDS", "true"))
		}
	}
	if ids.GCP != nil {
		list = append(list,
			literal("PODPASS_GCP_UNIVERSE_DOMAIN", s.GCP.UniverseDomain),
			literal("PODPASS_GCP_STS_ENDPOINT", s.GCP.STSEndpoint),
			literal("PODPASS_GCP_IAM_CREDENTIALS_ENDPOINT", s.GCP.IAMCredentialsEndpoint),
			literal("PODPASS_GCP_INSTANCE_ZONE", s.GCP.Zone))
		if s.GCP.Zone != "" {
			list = append(list, downward("PODPASS_GCP_INSTANCE_NAME", "spec.nodeName"))
		}
	}
	if ids.Azure != nil {
		list = append(list,
			literal("PODPASS_AZURE_AUTHORITY_HOST", s.Azure.AuthorityHost),
			literal("PODPASS_AZURE_PROBE_RESOURCE", s.Azure.ProbeResource))
	}
	list = append(list, literal("PODPASS_CA_BUNDLE", s.CABundle), literal("PODPASS_LOG_LEVEL", s.Broker.LogLevel))
	if p := s.Broker.MetricsPort; p != 0 {
		list = append(list, literal("PODPASS_METRICS_LISTEN", ":"+strconv.Itoa(p)))
	}
	if pl.answer.StrictStart {
		list = append(list, literal("PODPASS_STRICT_START", "true"))
	}
	return append(withValues(list...), s.Broker.Proxy.env()...)
}

// noAPIToken mounts a volume that the container has anyway where Kubernetes would put
// the ServiceAccount's token for the API server, of which podpass's containers have no
// need: Kubernetes leaves a container alone that has something there.
func noAPIToken(volume string) volumeMount {
	return volumeMount{Name: volume, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}
}

// ownContainer is what podpass's containers have in common. Its security context
// passes Pod Security "restricted", and says all of it itself: the pod's own may
// say root.
func (pl *planner) ownContainer(name string) container {
	c := container{
		Name:                     name,
		Image:                    pl.settings.Broker.Image,
		ImagePullPolicy:          pl.settings.Broker.ImagePullPolicy,
		Resources:                pl.ownResources(),
		TerminationMessagePolicy: "FallbackToLogsOnError",
		SecurityContext: &securityContext{
			Capabilities:           capabilities{Drop: []string{"ALL"}},
			ReadOnlyRootFilesystem: true,
			RunAsNonRoot:           true,
			SeccompProfile:         seccompProfile{Type: "RuntimeDefault"},
		},
	}
	c.SecurityContext.RunAsUser, c.SecurityContext.RunAsGroup = pl.runAs, pl.settings.Broker.user()
	return c
}
