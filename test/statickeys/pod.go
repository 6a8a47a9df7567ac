package statickeys

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// image is never pulled: the objects are for an API server, not for a node.
const image = "registry.example.com/app:1"

// pod is what differs between the pods of the cases: what one of its containers is given.
type pod struct {
	variables []variable
	// envFrom gives it all of the case's Secret, with prefix before each name.
	envFrom bool
	prefix  string
	args    []string
	// mount is what it has mounted, if its path is not empty.
	mount mount
	// inInit gives all this to an init container, named setup, rather than to app.
	inInit bool
	// pull makes the case's Secret an imagePullSecret.
	pull bool
	// annotations of the pod template.
	annotations map[string]string
}

// variable of the environment: a literal value, or a data key of the case's Secret or
// ConfigMap.
type variable struct{ name, value, secretKey, configKey string }

// mount is a directory and the volume in it.
type mount struct {
	path   string
	volume func(name string) corev1.VolumeSource
}

// template is the pod template: metadata and spec.
func (d draft) template() map[string]any {
	spec := d.podSpec()
	metadata := map[string]any{"labels": map[string]any{"app": d.name}}
	if d.pod.annotations != nil {
		metadata["annotations"] = textMap(d.pod.annotations)
	}
	return map[string]any{"metadata": metadata, "spec": must(runtime.DefaultUnstructuredConverter.ToUnstructured(&spec))}
}

func (d draft) podSpec() corev1.PodSpec {
	container := corev1.Container{Name: "app", Image: image, Args: d.pod.args}
	for _, v := range d.pod.variables {
		container.Env = append(container.Env, v.of(d.name))
	}
	if d.pod.envFrom {
		container.EnvFrom = []corev1.EnvFromSource{{Prefix: d.pod.prefix, SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference(d.name)}}}
	}
	var spec corev1.PodSpec
	if d.pod.mount.path != "" {
		container.VolumeMounts = []corev1.VolumeMount{{Name: "files", MountPath: d.pod.mount.path, ReadOnly: true}}
		spec.Volumes = []corev1.Volume{{Name: "files", VolumeSource: d.pod.mount.volume(d.name)}}
	}
	spec.Containers = []corev1.Container{container}
	if d.pod.inInit {
		container.Name = "setup"
		spec.InitContainers = []corev1.Container{container}
		spec.Containers = []corev1.Container{{Name: "app", Image: image}}
	}
	if d.pod.pull {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{reference(d.name)}
	}
	if d.ownAccount {
		spec.ServiceAccountName = d.name
	}
	if d.workload == "Job" || d.workload == "CronJob" {
		spec.RestartPolicy = corev1.RestartPolicyOnFailure
	}
	return spec
}

// of makes the variable, with the name of the Secret or ConfigMap.
func (v variable) of(name string) corev1.EnvVar {
	e := corev1.EnvVar{Name: v.name, Value: v.value}
	switch {
	case v.secretKey != "":
		e.ValueFrom = &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: reference(name), Key: v.secretKey}}
	case v.configKey != "":
		e.ValueFrom = &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: reference(name), Key: v.configKey}}
	}
	return e
}

func secretVolume(name string) corev1.VolumeSource {
	return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
}

func configMapVolume(name string) corev1.VolumeSource {
	return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: reference(name)}}
}

// projectedVolume has one data key of the Secret, as a file of another name, beside a
// token of the ServiceAccount.
func projectedVolume(key, file string) func(name string) corev1.VolumeSource {
	return func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{Secret: &corev1.SecretProjection{LocalObjectReference: reference(name), Items: []corev1.KeyToPath{{Key: key, Path: file}}}},
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Audience: "orders", Path: "bound-token"}},
		}}}
	}
}

func reference(name string) corev1.LocalObjectReference {
	return corev1.LocalObjectReference{Name: name}
}
