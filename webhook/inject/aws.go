package inject

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	// The names and path of amazon-eks-pod-identity-webhook: people's tools and
	// hand-written manifests know them.
	awsVolume    = "aws-iam-token"
	awsTokenDir  = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
	awsTokenFile = awsTokenDir + "/token"

	awsPath = "/aws/v1/credentials" // of the broker
)

var (
	awsChoices = environ.Names("aws", environ.Choice)
	awsStatic  = environ.Names("aws", environ.Key, environ.KeyFile)
	// awsHidden are the keys that each SDK reads, and takes for unset when empty.
	awsHidden = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
)

const imdsEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"

// noIMDS keeps an SDK that finds the broker slow from taking the node's role.
var noIMDS = literal("AWS_EC2_METADATA_DISABLED", "true")

// regionAlternatives: AWS_REGION and AWS_DEFAULT_REGION are added only if neither is set.
var regionAlternatives = map[string]string{"AWS_REGION": "AWS_DEFAULT_REGION", "AWS_DEFAULT_REGION": "AWS_REGION"}

func awsBroker(d *delivery, pl *planner, a *serviceaccount.AWS) {
	d.env = withValues(
		// 127.0.0.1 rather than a link-local address: SDKs years old accept it.
		literal("AWS_CONTAINER_CREDENTIALS_FULL_URI", pl.brokerURL()+awsPath),
		podUID("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
		literal("AWS_REGION", a.Region),
		literal("AWS_DEFAULT_REGION", a.Region),
	)
	if a.IMDS {
		// With the final slash, without which the AWS command line 2.9 asks "9911latest".
		d.env = append(d.env, literal(imdsEndpoint, pl.brokerURL()+"/"))
	} else {
		d.env = append(d.env, noIMDS)
	}
	d.alternatives = regionAlternatives
	d.own, d.guard = awsChoices, awsGuards
	d.static, d.hidden = awsStatic, awsHidden
}

func awsDirect(d *delivery, pl *planner, a *serviceaccount.AWS) {
	pl.directAWS(a)
	d.env = withValues(
		literal("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
		literal("AWS_REGION", a.Region),
		literal("AWS_DEFAULT_REGION", a.Region),
		literal("AWS_ROLE_ARN", a.RoleARN),
		literal("AWS_WEB_IDENTITY_TOKEN_FILE", pl.file(awsTokenFile)),
		literal("AWS_ROLE_SESSION_NAME", cmp.Or(a.SessionName, pl.sessionName())),
		literal("AWS_ENDPOINT_URL_STS", pl.settings.AWS.STSEndpoint(a.RoleARN)),
		literal("AWS_USE_FIPS_ENDPOINT", only(pl.settings.AWS.UseFIPSEndpoint)),
		literal("AWS_USE_DUALSTACK_ENDPOINT", only(pl.settings.AWS.UseDualStackEndpoint)),
	)
	d.alternatives = regionAlternatives
	// A profile may take its role with the token that is mounted here, and a role of the
	// container's own is assumed with it. A secret without an endpoint chooses nothing.
	d.own = []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"}
	d.kept = []string{"AWS_ROLE_ARN"}
	d.guard = awsGuards
	d.static, d.hidden = awsStatic, awsHidden
	d.file = "AWS_WEB_IDENTITY_TOKEN_FILE"
	d.token.Path = "token"
	d.volumes = []volume{tokenVolume(awsVolume, d.token)}
	d.mounts = []volumeMount{{Name: awsVolume, MountPath: awsTokenDir, ReadOnly: true}}
}

// podIdentity reports whether a variable is what EKS Pod Identity gives: its agent on the
// node, or the file of its token.
func podIdentity(have podEnv) bool {
	for _, prefix := range []string{"http://169.254.170.23/", "http://[fd00:ec2::23]/", "/var/run/secrets/pods.eks.amazonaws.com/"} {
		if strings.HasPrefix(have.Value, prefix) {
			return true
		}
	}
	return false
}

// only is "true", or nothing.
func only(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// of is the delivery for one container: its AWS role may be another.
func (d *delivery) of(pl *planner, c *podContainer) *delivery {
	if d.Cloud != "aws" {
		return d
	}
	name, ok := pl.answer.AWS.Chosen[c.Name]
	if !ok {
		return d
	}
	chosen := *d
	chosen.env = slices.Clone(d.env)
	for i := range chosen.env {
		switch v := &chosen.env[i]; v.Name {
		case "AWS_CONTAINER_CREDENTIALS_FULL_URI":
			v.Value += "/" + name
		case imdsEndpoint:
			*v = noIMDS // it serves the first role
		case "AWS_ROLE_ARN":
			for _, o := range pl.answer.AWS.Others {
				if o.Name == name {
					v.Value = escapeReferences(o.RoleARN)
				}
			}
		}
	}
	return &chosen
}

// checkChosenRoles denies a choice for a container that the pod does not have: the one
// that was meant would get the first role, which may do more, without a word.
func (pl *planner) checkChosenRoles() {
	if pl.answer.AWS == nil || len(pl.answer.AWS.Chosen) == 0 {
		return
	}
	names := pl.names()
	for _, container := range slices.Sorted(maps.Keys(pl.answer.AWS.Chosen)) {
		if !names[container] {
			pl.fail(serviceaccount.Problem{
				Code: codeUnknownContainer, Where: pl.where() + " " + strings.ReplaceAll(serviceaccount.KeyAWSChosenRole, "<container>", container), Value: pl.answer.AWS.Chosen[container],
				Message: "the pod has no container of that name, and the one that is meant would get the ServiceAccount's first role",
				Fix:     "correct the name after aws-role., or remove the annotation",
			})
		}
	}
}

// directAWS reports what the SDKs' web identity cannot do. To leave it out
// silently would give the application another role, or more than it was meant to have.
func (pl *planner) directAWS(a *serviceaccount.AWS) {
	for _, f := range []struct {
		set  bool
		what string
	}{
		{len(a.Chain) > 0, "a chain of roles"},
		{a.SessionPolicy != "", "a session policy"},
	} {
		if f.set {
			pl.needsBroker("aws", f.what, a.Source)
		}
	}
	if a.SessionDuration != 0 {
		pl.warn(serviceaccount.Problem{
			Code: codeIgnoredInDirect, Where: pl.where() + " " + serviceaccount.KeyAWSSessionDuration, Message: "has no effect in direct mode, where the SDK asks for its own",
			Fix: "use broker mode, or set the duration in the application's SDK",
		})
	}
	if a.IMDS {
		pl.warn(serviceaccount.Problem{
			Code: codeIgnoredInDirect, Where: pl.where() + " " + serviceaccount.KeyAWSIMDS, Message: "has no effect in direct mode, where nobody answers as EC2's metadata service",
			Fix: "use broker mode, or remove the annotation",
		})
	}
}

// sessionName is the same for the pod's whole life, and says in CloudTrail which
// workload it was: <namespace>.<ServiceAccount>.<pod>. Where the name is still to
// be generated it is the prefix that the workload's pods share.
func (pl *planner) sessionName() string {
	m := pl.pod.Metadata
	return aws.SessionName(m.Namespace, pl.pod.ServiceAccount(), cmp.Or(m.Name, strings.TrimRight(m.GenerateName, "-")))
}
