package inject

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// staticKeys looks for static keys of d's cloud in the container, and does with
// them what the pod or the installation chose: the variables that override them;
// false when the container is to be left without this cloud.
//
// A key set by name is overridden by a second definition of the same variable,
// empty, after it: kubelet takes the last. The first stays as the user wrote it.
func (pl *planner) staticKeys(d *delivery, c *podContainer) ([]envVar, bool) {
	policy := cmp.Or(pl.answer.StaticKeys, pl.settings.StaticKeys, serviceaccount.StaticKeysWarn)
	var found []string
	for _, name := range d.static {
		have, _ := c.env(name)
		if want, ok := d.want(name); c.hasEnv(name) && (!ok || !want.same(have)) {
			found = append(found, name)
		}
	}
	if policy != serviceaccount.StaticKeysOverride {
		pl.suspectSecrets(d, c)
	}
	switch {
	case policy == serviceaccount.StaticKeysOverride:
		return d.overrides(c, found), true
	case len(found) == 0:
		return nil, true
	case policy == serviceaccount.StaticKeysDeny:
		pl.fail(serviceaccount.Problem{
			Code: codeStaticKeysDenied, Where: pl.whereContainer(c.Name), Value: strings.Join(found, ", "),
			Message: fmt.Sprintf("the container %s static %s credentials, which SDKs prefer to the ServiceAccount's identity, and static keys are denied here", has(found), d.Cloud),
			Fix:     "remove the variables, and then the keys themselves",
		})
		return nil, false
	}
	outcome := "SDKs prefer them, so that the ServiceAccount's identity stays unused"
	mixed := d.mixed(found)
	if mixed {
		outcome = "the container therefore does not get the ServiceAccount's identity"
	}
	pl.warn(serviceaccount.Problem{
		Code: codeStaticKeys, Where: pl.whereContainer(c.Name), Value: strings.Join(found, ", "),
		Message: fmt.Sprintf("the container %s static %s credentials; %s", has(found), d.Cloud, outcome),
		Fix:     "remove the variables, or annotate the pod with podpass.io/static-keys: override",
	})
	return nil, !mixed
}

// mixed reports whether one of the keys is of those beside which env cannot be.
func (d *delivery) mixed(found []string) bool {
	return slices.ContainsFunc(found, func(name string) bool { return slices.Contains(d.mixes, name) })
}

// has says what variables with static keys do. Whether there is a file where they say,
// and what is in it, cannot be seen.
func has(found []string) string {
	if slices.ContainsFunc(found, func(name string) bool { return !slices.Contains(keyFiles, name) }) {
		return "sets"
	}
	return "names a file for"
}

var keyFiles = slices.Concat(environ.Names("aws", environ.KeyFile), environ.Names("gcp", environ.KeyFile), environ.Names("azure", environ.KeyFile))

// overrides gives the variables after which the SDKs of d's cloud take no static key.
func (d *delivery) overrides(c *podContainer, found []string) []envVar {
	var list []envVar
	for _, name := range found {
		v, ok := d.want(name)
		if !ok {
			v = envVar{Name: name}
		}
		list = append(list, v)
	}
	if len(c.EnvFrom) > 0 {
		for _, name := range d.hidden {
			if _, ok := c.env(name); !ok {
				list = append(list, envVar{Name: name})
			}
		}
	}
	// Python's EnvironmentCredential takes an empty secret for a secret. Where the
	// SDK is recent, this keeps it from being tried at all.
	for _, v := range d.selects {
		if d.mixed(found) && !selected(c, v) {
			list = append(list, v)
		}
	}
	return list
}

// secretNames are parts of names that Secrets with static keys have. The Secret
// itself is not read: the webhook has no right to.
var secretNames = map[string][]string{
	"aws":   {"aws", "s3"},
	"gcp":   {"gcp", "gcs", "google"},
	"azure": {"azure", "entra"},
}

func (pl *planner) suspectSecrets(d *delivery, c *podContainer) {
	for _, from := range c.EnvFrom {
		if from.SecretRef == nil || from.Prefix != "" {
			continue
		}
		for _, part := range secretNames[d.Cloud] {
			if !strings.Contains(strings.ToLower(from.SecretRef.Name), part) {
				continue
			}
			pl.warn(serviceaccount.Problem{
				Code: codeSecretEnvFrom, Where: pl.whereContainer(c.Name) + " envFrom Secret", Value: from.SecretRef.Name,
				Message: fmt.Sprintf("by its name the Secret may hold static %s credentials, which SDKs would prefer to the ServiceAccount's identity", d.Cloud),
				Fix:     "if it does, remove it from envFrom, or annotate the pod with podpass.io/static-keys: override",
			})
			break
		}
	}
}
