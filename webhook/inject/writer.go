package inject

import "path"

// writer is an init container that writes content to a file of a volume, for clients that
// want a file. An annotation, which a volume could show as one, can be changed after
// admission, and so the place to which a token is sent; the environment of an init
// container cannot.
func (pl *planner) writer(name, volume, file string, content []byte) *container {
	c := pl.ownContainer(name)
	c.Command = []string{brokerBinary, "write-file", file}
	c.Env = []envVar{literal("PODPASS_FILE", string(content))}
	c.VolumeMounts = []volumeMount{{Name: volume, MountPath: path.Dir(file)}, noAPIToken(volume)}
	return &c
}

// writers are the names of such containers.
var writers = []string{gcpConfigContainer, kubeconfigContainer}

// writtenVolume is what a writer writes to. In memory: cluster-autoscaler would not move a
// pod with a volume on disk.
func writtenVolume(name string) volume {
	return volume{Name: name, EmptyDir: &emptyDirVolume{Medium: "Memory", SizeLimit: "1Mi"}}
}
