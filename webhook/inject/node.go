package inject

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// nowhere is an address where nothing answers, so that SDKs are refused at once: on the
// pod's own loopback, by a number that nobody else writes, and of port 1 (tcpmux), which
// only root could open. It keeps SDKs of Google Cloud and Azure from the node's metadata
// service, for which they have no switch as AWS's have.
const nowhere = "127.0.9.11:1"

// nobody is the secret of that address: Azure's SDKs need one to take it.
const nobody = "podpass-none"

// guard is a variable for a container that is left without a cloud, by which its SDKs do
// not take the node's identity instead.
type guard struct {
	envVar
	// unless are variables of the container beside which this one would change what it
	// has chosen itself.
	unless []string
}

var (
	awsGuards = []guard{{envVar: noIMDS}}
	// SDKs go no further than a key file, while gcloud, which knows ROOT alone, does not
	// look at it; HOST would only tell them that they run on Google's machines. Beside a
	// choice of one of the three, HOST or IP would come before it in some SDK.
	gcpGuards = []guard{
		{literal("GCE_METADATA_HOST", nowhere), slices.Concat(gcpChoices, gcpMixes)},
		{literal("GCE_METADATA_IP", nowhere), slices.Concat(gcpChoices, gcpMixes)},
		{literal("GCE_METADATA_ROOT", nowhere), []string{"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"}},
	}
	// With the first two each SDK looks for a managed identity there alone, the third is
	// for what speaks to the node's service only. None is beside a choice, of which it
	// would be another half.
	azureGuards = []guard{
		{literal("IDENTITY_ENDPOINT", "http://"+nowhere), azureChoices},
		{literal("IDENTITY_HEADER", nobody), azureChoices},
		{literal("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://"+nowhere), azureChoices},
	}
)

// guards are those that a container lacks which is left without this cloud. One that has
// its identity of another webhook is that one's, and one that names the node's metadata
// service itself has it.
func (d *delivery) guards(c *podContainer) []envVar {
	if _, named := d.namesNode(c); named || d.others(c) {
		return nil
	}
	own := func(name string) bool {
		have, _ := c.env(name)
		return c.hasEnv(name) && !d.guarded(have)
	}
	var list []envVar
	for _, g := range d.guard {
		if !c.hasEnv(g.Name) && !slices.ContainsFunc(g.unless, own) {
			list = append(list, g.envVar)
		}
	}
	return list
}

// others reports whether a container has its identity of EKS Pod Identity, or of pfnet's
// webhook, which logs gcloud in as well.
func (d *delivery) others(c *podContainer) bool {
	file, _ := c.env("GOOGLE_APPLICATION_CREDENTIALS")
	return d.Cloud == "aws" && slices.ContainsFunc(c.Env, podIdentity) || d.Cloud == "gcp" && cleanPath(file.Value) == gcpConfigFile
}

// is reports whether a variable is this guard and leads nowhere, so that it is podpass's.
func (g guard) is(e podEnv) bool {
	return g.Name == e.Name && g.Value == e.Value && (e.Value == nobody || strings.HasSuffix(e.Value, nowhere))
}

// guarded reports whether a variable is one of the guards that lead nowhere.
func (d *delivery) guarded(e podEnv) bool {
	return slices.ContainsFunc(d.guard, func(g guard) bool { return g.is(e) })
}

// pruneGuards removes those of an earlier plan whose cloud the pod does not ask for now.
func (pl *planner) pruneGuards(at place, c *podContainer) {
	c.Env = removeStale(&pl.patch, at.path()+"/env/", c.Env, func(e podEnv) bool {
		is := func(g guard) bool { return g.is(e) }
		return (slices.ContainsFunc(gcpGuards, is) || slices.ContainsFunc(azureGuards, is)) &&
			!slices.ContainsFunc(pl.deliveries, func(d *delivery) bool { return d.guarded(e) })
	})
}

// leave keeps a container's SDKs from the node's identity where it is left without the
// cloud, and warns of one that wants to ask the node.
func (pl *planner) leave(d *delivery, at place, c *podContainer) []envVar {
	list := d.guards(c)
	pl.guards[at] = append(pl.guards[at], list...)
	pl.checkNodeMetadata(d, c)
	return list
}

// openToNode says of a container with a choice of its own what may still ask the node for
// its identity, since nothing that podpass could add would leave the choice as it is.
func (d *delivery) openToNode(c *podContainer) string {
	switch {
	case d.Cloud == "gcp" && !c.hasEnv("GCE_METADATA_HOST"): // with it, what reads IP asks there
		return "; SDKs that read GCE_METADATA_HOST, which is not set, ask the node's metadata service"
	case d.Cloud == "azure":
		return "; an SDK to which that says nothing, or not enough, asks the node's metadata service"
	}
	return ""
}

// unguard takes away what an earlier plan had for a container that was left without the
// cloud, and now has it: SDKs would take it for the container's choice.
func (pl *planner) unguard(d *delivery, at place, c *podContainer) {
	c.Env = removeStale(&pl.patch, at.path()+"/env/", c.Env, d.guarded)
}

// nodeNames are those by which Google's SDKs find the node's metadata service.
var nodeNames = []string{"169.254.169.254", "metadata.google.internal", "metadata.google.internal.", "metadata"}

// namesNode gives the variable by which the container itself asks for the node's metadata
// service; false: none does.
func (d *delivery) namesNode(c *podContainer) (guard, bool) {
	i := slices.IndexFunc(d.guard, func(g guard) bool {
		have, _ := c.env(g.Name)
		switch {
		case have.Value == "" || g.Name == "IDENTITY_HEADER":
			return false
		case g.Name == noIMDS.Name:
			return !strings.EqualFold(have.Value, noIMDS.Value)
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(have.Value, "http://"), "/")
		return slices.Contains(nodeNames, strings.TrimSuffix(host, ":80"))
	})
	if i < 0 {
		return guard{}, false
	}
	return d.guard[i], true
}

// checkNodeMetadata warns of a container that keeps the node's metadata service in its
// SDK's chain, where podpass would take it out: behind the broker, or behind what the
// container has chosen itself.
func (pl *planner) checkNodeMetadata(d *delivery, c *podContainer) {
	g, named := d.namesNode(c)
	if !named {
		return
	}
	have, _ := c.env(g.Name)
	pl.warn(serviceaccount.Problem{
		Code: codeNodeMetadata, Where: pl.whereContainer(c.Name) + " variable " + g.Name, Value: have.Value,
		Message: "the SDK takes the node's role when it has no other credentials",
		Fix:     "remove the variable; podpass then sets it to " + g.Value,
	})
}
