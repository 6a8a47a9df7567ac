package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podpass-io/podpass/test/statickeys"
	"github.com/podpass-io/podpass/test/testbed"
)

// migrated is the namespace of TestMigrate.
const migrated = "migrate"

// byHand is the workload that no tool takes off its key, a token of this cluster itself.
const byHand = "cluster-token"

// program is the SDK that asks with the key of a case.
type program struct {
	sdk string // go or js
	// own is where the application reads the key by itself, as SDK_OWN_KEY has it; empty:
	// the SDK finds it.
	own string
}

// programs by case. The other cases are of kinds that make no pods here, or have keys that
// no stand-in takes: those do nothing, and are migrated all the same.
var programs = map[string]program{
	"env-literal": {sdk: "go"}, "env-secret": {sdk: "js"}, "env-split": {sdk: "go"}, "envfrom": {sdk: "go"}, "envfrom-prefix": {sdk: "go"},
	"ini-file": {sdk: "go"}, "ini-profiles": {sdk: "go"}, "json-config": {"go", "json:/etc/app/config.json"}, "connection-url": {"go", "url:BACKUP_URL"},
	"google-file": {sdk: "go"}, "google-projected": {sdk: "go"}, "google-base64": {"go", "base64:GOOGLE_CREDENTIALS"},
	"azure-secret": {sdk: "js"}, "azure-terraform": {"go", "prefix:ARM_"},
}

// migrant is a workload that has a static key.
type migrant struct {
	statickeys.Case
	program
	// keyID is by what the cloud counts the key's uses.
	keyID string
	// identity that the workload has by its key.
	identity string
}

// asks: there is an SDK in it that asks its cloud.
func (m *migrant) asks() bool { return m.sdk != "" }

// once: it asks once for each pod, and not all the while.
func (m *migrant) once() bool { return m.kind() == "CronJob" || m.Name == "ini-profiles" }

func (m *migrant) kind() string {
	kind, _, _ := strings.Cut(m.Workload, " ")
	return kind
}

// ref is how a command names the workload: deployment/env-literal.
func (m *migrant) ref() string { return strings.ToLower(m.kind()) + "/" + m.Name }

// podSpec is that within the workload, which is the last of the case's objects.
func (m *migrant) podSpec() map[string]any {
	o := m.Objects[len(m.Objects)-1].Object
	within := func(o map[string]any, fields ...string) map[string]any {
		for _, f := range fields {
			o = o[f].(map[string]any)
		}
		return o
	}
	switch m.kind() {
	case "Pod":
		return within(o, "spec")
	case "PodTemplate":
		return within(o, "template", "spec")
	case "CronJob":
		return within(o, "spec", "jobTemplate", "spec", "template", "spec")
	case "Cluster":
		return within(within(o, "spec")["workers"].([]any)[0].(map[string]any), "template", "spec")
	}
	return within(o, "spec", "template", "spec")
}

// run has the SDK in the container that has the key, and nothing in the others; and what
// pods need in a restricted namespace.
func (m *migrant) run(t *testing.T) {
	t.Helper()
	var spec corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(m.podSpec(), &spec); err != nil {
		t.Fatal(err)
	}
	has := &spec.Containers[0]
	if len(spec.InitContainers) > 0 {
		has = &spec.InitContainers[0]
	}
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			list[i].Image, list[i].ImagePullPolicy = "podpass.io/pause:dev", corev1.PullNever
			restrict(&list[i])
		}
	}
	if m.asks() {
		m.ask(has)
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: "clouds", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "clouds"}},
		}})
	}
	grace := int64(2) // that of Kubernetes is half a minute
	spec.TerminationGracePeriodSeconds = &grace
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		t.Fatal(err)
	}
	clear(m.podSpec())
	maps.Copy(m.podSpec(), fields)
}

// ask makes a container that of an SDK program.
func (m *migrant) ask(c *corev1.Container) {
	c.Image, c.Args = "podpass.io/sdk-"+m.sdk+":dev", []string{m.Cloud, "--timeout", "20s"}
	if !m.once() {
		c.Args = append(c.Args, "--repeat", "2s")
	}
	for _, v := range []corev1.EnvVar{
		{Name: "HOME", Value: "/root"}, // where the AWS SDK looks for its files
		{Name: "AWS_REGION", Value: testbed.Region}, {Name: "AZURE_AUTHORITY_HOST", Value: bed.Clouds.Azure}, {Name: "SDK_OWN_KEY", Value: m.own},
	} {
		if !slices.ContainsFunc(c.Env, func(has corev1.EnvVar) bool { return has.Name == v.Name }) {
			c.Env = append(c.Env, v)
		}
	}
	c.EnvFrom = append(c.EnvFrom, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "clouds"}}})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "clouds", MountPath: "/etc/clouds", ReadOnly: true})
}

// restrict is what Pod Security and the quota of the namespace want.
func restrict(c *corev1.Container) {
	yes, no, user := true, false, int64(10001)
	c.SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, RunAsNonRoot: &yes, RunAsUser: &user,
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	c.Resources = corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("5m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("512Mi")},
	}
}

// objects are those of a list, as one manifest.
func objects(t *testing.T, list []unstructured.Unstructured) string {
	t.Helper()
	var all strings.Builder
	for _, o := range list {
		text, err := o.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "---\n%s\n", text)
	}
	return all.String()
}
