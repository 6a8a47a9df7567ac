package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// becausePlatform is why AWS is in direct mode where the cluster's own webhook put it.
const becausePlatform = "the cluster's own webhook"

// platformAWS reports, and says once, that EKS's built-in webhook has given the pod this
// role already. It runs before all others, in each EKS cluster, and cannot be removed:
// what it has put there is direct mode in all but the name. What only broker mode has is
// not given up for it.
func (pl *planner) platformAWS(a *serviceaccount.AWS) bool {
	if was, ok := pl.own.injected["aws"]; ok && was.Because != becausePlatform {
		return false // podpass itself, by other settings
	}
	if len(a.Chain) > 0 || a.SessionPolicy != "" || a.IMDS {
		return false
	}
	injected := func(c podContainer) bool { return !pl.skipped[c.Name] && c.platformAWS(a.RoleARN) }
	if !slices.ContainsFunc(pl.pod.Spec.Containers, injected) && !slices.ContainsFunc(pl.pod.Spec.InitContainers, injected) {
		return false
	}
	pl.warn(serviceaccount.Problem{
		Code: codePlatform, Where: pl.where(), Value: a.RoleARN,
		Message: "the cluster's own webhook, as EKS has it, has put the role's token into the pod's containers, so that AWS is in direct mode",
		Fix:     "set podpass.io/mode: direct to accept this; for broker mode, name the role by podpass.io/aws-role-arn, and not by eks.amazonaws.com/role-arn",
	})
	return true
}

// platformAWS reports whether the container has the role's token as amazon-eks-pod-identity-webhook
// gives it: the variables, and the volume at its path.
func (c *podContainer) platformAWS(role string) bool {
	arn, _ := c.env("AWS_ROLE_ARN")
	file, _ := c.env("AWS_WEB_IDENTITY_TOKEN_FILE")
	return arn.Value == role && cleanPath(file.Value) == awsTokenFile && slices.ContainsFunc(c.VolumeMounts, func(m podMount) bool {
		return m.Name == awsVolume && cleanPath(m.MountPath) == awsTokenDir
	})
}
