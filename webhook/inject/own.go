package inject

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// own is what an earlier plan has left in the pod: a call before another webhook's
// change, by another replica with other settings perhaps, or a manifest made from a
// running pod. It is podpass's, and gives way to the plan of now. What the user wrote is
// never taken for it: a variable is podpass's by name and value, and then only beside
// the sidecar that it leads to, or the annotation that says so.
type own struct {
	// address of the sidecar that is there; empty: there is none.
	address string
	// injected says the pod's annotation, by cloud.
	injected map[string]Injection
	// kept are the volumes that this plan needs, by name: whether the pod's own serves.
	kept map[string]bool
}

// maxInjection bounds the annotation: of podpass's it has a few hundred bytes.
const maxInjection = 16 << 10

// findOwn looks for it. Most pods have none.
func (pl *planner) findOwn() {
	if i := named(pl.pod.Spec.InitContainers, brokerContainer); i >= 0 && pl.pod.Spec.InitContainers[i].podpass() {
		listen, _ := pl.pod.Spec.InitContainers[i].env("PODPASS_LISTEN")
		pl.own.address = listen.Value
	}
	if text := pl.pod.Metadata.Annotations[InjectionAnnotation]; text != "" && len(text) <= maxInjection {
		if json.Unmarshal([]byte(text), &pl.own.injected) != nil {
			pl.own.injected = nil // somebody else's
		}
	}
}

// podpass reports whether an init container with the name of one of podpass's is one.
func (c *podContainer) podpass() bool {
	_, broker := c.env("PODPASS_IDENTITIES")
	_, file := c.env("PODPASS_FILE")
	return c.Name == brokerContainer && broker || slices.Contains(writers, c.Name) && file
}

// LabelHolds reports whether a pod has what its label [InjectedLabel] says: the sidecar,
// or a token that direct mode mounts. A label that came with a manifest is a wish. The
// registration asks the same, in the chart, of pods that opted in.
func (p *Pod) LabelHolds() (bool, error) {
	w, err := p.whole()
	switch {
	case errors.Is(err, errTooLarge): // no plan gave it anything
		return false, nil
	case err != nil:
		return false, err
	}
	switch serviceaccount.Mode(p.Metadata.Labels[InjectedLabel]) {
	case serviceaccount.ModeBroker:
		return slices.ContainsFunc(w.Spec.InitContainers, func(c podContainer) bool { return c.Name == brokerContainer && c.podpass() }), nil
	case serviceaccount.ModeDirect:
		return slices.ContainsFunc(w.Spec.Volumes, func(v podVolume) bool {
			return slices.Contains([]string{awsVolume, gcpTokenVolume, azureVolume, oidcVolume, kubeVolume}, v.Name) && v.tokens()
		}), nil
	}
	return false, nil
}

// prune takes out of a container what an earlier plan has put there, and this one has
// otherwise or not at all.
func (pl *planner) prune(at place, c *podContainer) {
	if pl.own.address == "" && pl.own.injected == nil {
		return
	}
	early := at.list == "initContainers" && pl.early[c.Name]
	var deliveries []*delivery
	for _, d := range pl.deliveries {
		deliveries = append(deliveries, d.of(pl, c).placed(pl, c).where(pl, c))
	}
	c.Env = removeStale(&pl.patch, at.path()+"/env/", c.Env, func(e podEnv) bool {
		return pl.wrote(c, e) && !slices.ContainsFunc(deliveries, func(d *delivery) bool {
			if early && d.Mode == serviceaccount.ModeBroker {
				return false
			}
			v, ok := d.want(e.Name)
			return ok && v.same(e) || d.home != nil && d.home.env.Name == e.Name && d.home.env.same(e)
		})
	})
	// A container that has its own source now is left without what was for the other.
	deliveries = slices.DeleteFunc(deliveries, func(d *delivery) bool { _, ok := d.chosen(c); return ok })
	c.VolumeMounts = removeStale(&pl.patch, at.path()+"/volumeMounts/", c.VolumeMounts, func(m podMount) bool {
		return pl.mounted(c, m) && !slices.ContainsFunc(deliveries, func(d *delivery) bool {
			return slices.ContainsFunc(d.mounts, func(want volumeMount) bool { return want.Name == m.Name && want.MountPath == m.MountPath }) ||
				d.home != nil && d.home.mount.Name == m.Name && d.home.mount.MountPath == m.MountPath
		})
	})
}

// removeStale removes elements of the array whose elements' paths begin with at.
func removeStale[T any](p *patch, at string, list []T, stale func(T) bool) []T {
	for i := len(list) - 1; i >= 0; i-- { // from the end: a removal shifts what follows
		if stale(list[i]) {
			p.remove(at, i)
		}
	}
	// All at once: one by one, many elements take the square of the time.
	return slices.DeleteFunc(list, stale)
}

// wasDirect reports whether an earlier plan mounted a cloud's token in the containers.
func (pl *planner) wasDirect(cloud string) bool {
	return pl.own.injected[cloud].Mode == serviceaccount.ModeDirect
}

// wrote reports whether a variable is an earlier plan's.
func (pl *planner) wrote(c *podContainer, e podEnv) bool {
	uid := e.ValueFrom != nil && e.ValueFrom.FieldRef != nil && e.ValueFrom.FieldRef.FieldPath == "metadata.uid"
	broker, url := pl.own.address, "http://"+pl.own.address
	direct := pl.wasDirect
	switch e.Name {
	case "AWS_CONTAINER_CREDENTIALS_FULL_URI":
		return broker != "" && (e.Value == url+awsPath || strings.HasPrefix(e.Value, url+awsPath+"/"))
	case "AWS_CONTAINER_AUTHORIZATION_TOKEN", "IDENTITY_HEADER", "PODPASS_TOKEN_SECRET":
		return broker != "" && uid
	case imdsEndpoint:
		return broker != "" && e.Value == url+"/"
	case "GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT":
		return broker != "" && e.Value == broker
	case "METADATA_SERVER_DETECTION":
		return pl.own.injected["gcp"].Mode == serviceaccount.ModeBroker && e.Value == "assume-present"
	case "IDENTITY_ENDPOINT":
		return broker != "" && e.Value == url+azurePath
	case "AZURE_POD_IDENTITY_AUTHORITY_HOST":
		return broker != "" && e.Value == url
	case "PODPASS_TOKEN_URL":
		return broker != "" && e.Value == url+oidcPath
	case "AZURE_CLIENT_ID":
		return e.Value != "" && e.Value == pl.own.injected["azure"].Identity
	case "AWS_ROLE_ARN":
		return direct("aws") && e.Value != "" && e.Value == escapeReferences(pl.own.injected["aws"].Identity)
	case "AWS_WEB_IDENTITY_TOKEN_FILE":
		return direct("aws") && e.Value == pl.file(awsTokenFile)
	case "AWS_ROLE_SESSION_NAME":
		return direct("aws") && e.Value == pl.sessionName()
	case "AZURE_FEDERATED_TOKEN_FILE":
		// At the older place only where the other is taken: else the user's own choice.
		taken, ok := c.mountAt(azureTokenDir)
		return direct("azure") && (e.Value == pl.file(azureTokenDir+"/"+azureTokenName) || ok && taken.Name != azureVolume && e.Value == pl.file(azureTokenDirOld+"/"+azureTokenName))
	case "CLOUDSDK_CONFIG":
		return pl.own.injected["gcp"].Mode != "" && (e.Value == gcloudDir || e.Value == gcpConfigDir)
	case "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE":
		return direct("gcp") && e.Value == gcpConfigFile
	case kubeconfigVariable:
		return direct("kube") && e.Value == kubeconfigFile
	}
	return false
}

// mounted reports whether a mount of the container is an earlier plan's: at podpass's
// places, and of a token where the container's own variable says that it is.
func (pl *planner) mounted(c *podContainer, m podMount) bool {
	at := func(variable string) bool {
		have, _ := c.env(variable)
		return have.namesFile() && path.Dir(have.Value) == m.MountPath
	}
	switch {
	case m.Name == awsVolume && at("AWS_WEB_IDENTITY_TOKEN_FILE"):
		return pl.wasDirect("aws")
	case m.Name == azureVolume && at("AZURE_FEDERATED_TOKEN_FILE"):
		return pl.wasDirect("azure")
	}
	switch m.MountPath {
	case awsTokenDir:
		return pl.wasDirect("aws") && m.Name == awsVolume
	case gcpTokenDir:
		return pl.wasDirect("gcp") && m.Name == gcpTokenVolume
	case gcpConfigDir:
		return m.Name == gcpConfigVolume || m.Name == gcloudVolume && pl.own.injected["gcp"].Mode != ""
	case azureTokenDir, azureTokenDirOld:
		return pl.wasDirect("azure") && m.Name == azureVolume
	case gcloudDir:
		return m.Name == gcloudVolume && pl.own.injected["gcp"].Mode != ""
	case oidcDir:
		return m.Name == oidcVolume
	case kubeDir:
		return m.Name == kubeVolume
	case kubeconfigDir:
		return m.Name == kubeconfigVolume
	}
	return false
}
