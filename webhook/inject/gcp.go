package inject

import (
	"cmp"
	"fmt"

	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	// The names and paths of gcp-workload-identity-federation-webhook.
	gcpTokenVolume = "gcp-iam-token"
	gcpTokenDir    = "/var/run/secrets/sts.googleapis.com/serviceaccount"
	gcpTokenFile   = gcpTokenDir + "/token"
	gcpConfigDir   = "/var/run/secrets/gcloud/config"
	gcpConfigFile  = gcpConfigDir + "/federation.json"
	// Ours: there the configuration is in an annotation of the pod (see writer).
	gcpConfigVolume    = "podpass-gcp-config"
	gcpConfigContainer = "podpass-gcp-config"
)

const (
	// gcloudVolume is where gcloud writes: its settings, its cache, its logs. In broker
	// mode it is where pfnet's webhook has it; in direct mode the configuration is there,
	// which nobody must be able to write.
	gcloudVolume = "gcloud-config"
	gcloudDir    = "/var/run/secrets/gcloud/home"
)

// gcloudHome is a place for gcloud, for containers whose own file system may be
// read-only and whose user may have no home.
func gcloudHome(g *serviceaccount.GCP, dir string) *home {
	if !g.Gcloud {
		return nil
	}
	return &home{
		env:    literal("CLOUDSDK_CONFIG", dir),
		mount:  volumeMount{Name: gcloudVolume, MountPath: dir},
		volume: volume{Name: gcloudVolume, EmptyDir: &emptyDirVolume{}},
	}
}

var (
	gcpChoices = environ.Names("gcp", environ.Choice)
	gcpStatic  = environ.Names("gcp", environ.Key, environ.KeyFile)
	// gcpMixes: the others are for one tool alone, beside which SDKs get theirs.
	gcpMixes = []string{"GOOGLE_APPLICATION_CREDENTIALS"}
)

// gcpName is the identity as people know it.
func gcpName(g *serviceaccount.GCP) string { return cmp.Or(g.ServiceAccount, g.Provider) }

func gcpBroker(d *delivery, pl *planner, g *serviceaccount.GCP) {
	host := pl.brokerHost()
	project := cmp.Or(g.Project, pl.settings.GCP.Project)
	d.env = withValues(
		// Go, Java and .NET read HOST, Python pings IP, gcloud reads ROOT alone.
		literal("GCE_METADATA_HOST", host),
		literal("GCE_METADATA_IP", host),
		literal("GCE_METADATA_ROOT", host),
		// Node otherwise probes once, and remembers a failure for life.
		literal("METADATA_SERVER_DETECTION", "assume-present"),
		literal("GOOGLE_CLOUD_PROJECT", project),
		literal("CLOUDSDK_CORE_PROJECT", project),
		literal("CLOUDSDK_COMPUTE_REGION", pl.settings.GCP.Region),
	)
	d.home = gcloudHome(g, gcpConfigDir)
	d.own, d.guard = gcpChoices, gcpGuards
	// By the first Java's, by the others Node's.
	d.blinds = []envVar{literal("NO_GCE_CHECK", "true"), literal("METADATA_SERVER_DETECTION", "none"), literal("METADATA_SERVER_DETECTION", "bios-only")}
	d.static, d.mixes = gcpStatic, gcpMixes
}

func gcpDirect(d *delivery, pl *planner, g *serviceaccount.GCP) {
	if pl.pod.windows() {
		pl.fail(serviceaccount.Problem{
			Code: codeWindowsFile, Where: pl.where(), Value: g.Source,
			Message: "Google Cloud's federation needs a file that a Linux init container writes, and this pod runs on Windows",
			Fix:     "give the pod a ServiceAccount without a Google Cloud identity, or label it podpass.io/inject=false",
		})
		return
	}
	if len(g.Delegates) > 0 {
		pl.needsBroker("gcp", "a delegation chain", g.Source)
		return
	}
	project := cmp.Or(g.Project, pl.settings.GCP.Project)
	d.env = withValues(
		literal("GOOGLE_APPLICATION_CREDENTIALS", gcpConfigFile),
		literal("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", gcpConfigFile),
		literal("GOOGLE_CLOUD_PROJECT", project),
		literal("CLOUDSDK_CORE_PROJECT", project),
		literal("CLOUDSDK_COMPUTE_REGION", pl.settings.GCP.Region),
		literal("GOOGLE_CLOUD_QUOTA_PROJECT", g.QuotaProject),
	)
	d.home = gcloudHome(g, gcloudDir)
	d.static, d.mixes, d.guard = gcpStatic, gcpMixes, gcpGuards
	d.token.Path = "token"
	d.volumes = []volume{
		tokenVolume(gcpTokenVolume, d.token),
		writtenVolume(gcpConfigVolume),
	}
	d.mounts = []volumeMount{
		{Name: gcpTokenVolume, MountPath: gcpTokenDir, ReadOnly: true},
		{Name: gcpConfigVolume, MountPath: gcpConfigDir, ReadOnly: true},
	}
	config, err := credentialConfig(g.Identity, gcpTokenFile, pl.settings.GCP.Endpoints())
	if err != nil {
		pl.err = fmt.Errorf("encode the credential configuration: %w", err)
		return
	}
	d.setup = pl.writer(gcpConfigContainer, gcpConfigVolume, gcpConfigFile, config)
}
