package inject

import (
	"strings"

	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	kubeVolume = "podpass-kube-tokens"
	kubeDir    = "/var/run/secrets/podpass.io/kube"

	kubeconfigVolume    = "podpass-kubeconfig"
	kubeconfigContainer = "podpass-kubeconfig"
	kubeconfigDir       = "/var/run/secrets/podpass.io/kubeconfig"
	kubeconfigFile      = kubeconfigDir + "/config"
	kubeconfigVariable  = "KUBECONFIG"
)

// kubeDelivery is the same in either mode, as that of plain tokens is. The bound token is
// itself what an API server takes, and nothing is exchanged: a broker, or a program that
// the kubeconfig names (an exec credential), would hand the same token to the same
// container through one part more, and that part would have to be in each image, or on a
// volume in each pod. A file is what kubelet renews, and what each client reads.
//
// The kubeconfig says where the token is sent. It is in the environment of an init
// container for the reason that Google's configuration is: nobody can change it after
// admission.
func kubeDelivery(pl *planner, k *serviceaccount.Kube) *delivery {
	var names []string
	for _, c := range k.Clusters {
		names = append(names, c.Name)
	}
	d := &delivery{Injection: Injection{Cloud: "kube", Mode: serviceaccount.ModeDirect, Identity: strings.Join(names, ","), Source: k.Source}}
	if pl.pod.windows() {
		pl.fail(serviceaccount.Problem{
			Code: codeWindowsFile, Where: pl.where(), Value: k.Source,
			Message: "the kubeconfig for other clusters is a file that a Linux init container writes, and this pod runs on Windows",
			Fix:     "give the pod a ServiceAccount without " + serviceaccount.KeyKubeClusters + ", or label it podpass.io/inject=false",
		})
		return d
	}
	var tokens []tokenProjection
	for _, c := range k.Others() {
		t := pl.token(k.Grant, c.Audience)
		t.Path = c.Name
		tokens = append(tokens, t)
	}
	config, err := kube.Kubeconfig(k.Clusters, kubeDir, pl.pod.Metadata.Namespace)
	if err != nil {
		pl.err = err
		return d
	}
	d.env = []envVar{literal(kubeconfigVariable, kubeconfigFile)}
	d.volumes = []volume{tokenVolume(kubeVolume, tokens...), writtenVolume(kubeconfigVolume)}
	d.mounts = []volumeMount{
		{Name: kubeVolume, MountPath: kubeDir, ReadOnly: true},
		{Name: kubeconfigVolume, MountPath: kubeconfigDir, ReadOnly: true},
	}
	d.setup = pl.writer(kubeconfigContainer, kubeconfigVolume, kubeconfigFile, config)
	return d
}

// checkKubeconfig warns of a container that has a kubeconfig of its own, which clients
// read, unless podpass's is on its list.
func (pl *planner) checkKubeconfig(d *delivery, c *podContainer) {
	have, _ := c.env(kubeconfigVariable)
	if d.Cloud != "kube" || !c.hasEnv(kubeconfigVariable) {
		return
	}
	for file := range strings.SplitSeq(have.Value, ":") {
		if cleanPath(file) == kubeconfigFile {
			return
		}
	}
	pl.warn(serviceaccount.Problem{
		Code: codeOwnCredentials, Where: pl.whereContainer(c.Name) + " variable " + kubeconfigVariable, Value: have.Value,
		Message: "the container names a kubeconfig of its own; it stays, so that clients do not find the clusters that the ServiceAccount asks for, whose kubeconfig is " + kubeconfigFile + " and whose tokens are in " + kubeDir,
		Fix:     "remove the variable, or add :" + kubeconfigFile + " to it",
	})
}
