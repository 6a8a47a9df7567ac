package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestWhatAPodLacks: what the audit reports is what keeps a container from its
// credentials, whichever of the containers it is, and nothing else.
func TestWhatAPodLacks(t *testing.T) {
	for name, test := range map[string]struct {
		mode   serviceaccount.Mode
		change func(*corev1.Pod)
		want   int
	}{
		"nothing":               {serviceaccount.ModeBroker, func(*corev1.Pod) {}, 0},
		"nothing, direct":       {serviceaccount.ModeDirect, func(*corev1.Pod) {}, 0},
		"the label":             {serviceaccount.ModeBroker, func(p *corev1.Pod) { p.Labels = nil }, 0},
		"the first's variables": {serviceaccount.ModeBroker, func(p *corev1.Pod) { p.Spec.Containers[0].Env = nil }, 3},
		"the last's variables":  {serviceaccount.ModeDirect, func(p *corev1.Pod) { p.Spec.Containers[1].Env = nil }, 3},
		"the first's mounts":    {serviceaccount.ModeDirect, func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts = nil }, 3},
		"the sidecar":           {serviceaccount.ModeBroker, func(p *corev1.Pod) { p.Spec.InitContainers = nil }, 3},
		"what writes a file":    {serviceaccount.ModeDirect, func(p *corev1.Pod) { p.Spec.InitContainers = nil }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := benchAnswer(test.mode, 3)
			pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"},{"name":"b"}]}}`)
			injected := typed(t, apply(t, pod, plan(t, pod, a).Patch))
			test.change(injected)
			raw, err := json.Marshal(injected)
			if err != nil {
				t.Fatal(err)
			}
			if r := plan(t, raw, a); len(r.Missing) != test.want {
				t.Errorf("lacks %v, want %d", r.Missing, test.want)
			}
		})
	}
}

// TestWhatAPodOfTwoModesLacks: what one mode lacks is not the other's.
func TestWhatAPodOfTwoModesLacks(t *testing.T) {
	a := benchAnswer(serviceaccount.ModeBroker, 3)
	a.GCP.Mode = serviceaccount.ModeDirect
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}]}}`)
	for container, want := range map[string][]string{"podpass-gcp-config": {"gcp"}, "podpass-broker": {"aws", "azure"}} {
		injected := typed(t, apply(t, pod, plan(t, pod, a).Patch))
		injected.Spec.InitContainers = slices.DeleteFunc(injected.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == container })
		if len(injected.Spec.InitContainers) != 1 {
			t.Fatalf("%d init containers without %s", len(injected.Spec.InitContainers), container)
		}
		raw, err := json.Marshal(injected)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range plan(t, raw, a).Missing {
			got = append(got, i.Cloud)
		}
		if !slices.Equal(got, want) {
			t.Errorf("without %s it lacks %v, want %v", container, got, want)
		}
	}
}

// TestLateNetworkOfAnyUser: a mesh whose proxy comes late is warned of also where the
// platform chooses the broker's user, who may be none of the mesh's.
func TestLateNetworkOfAnyUser(t *testing.T) {
	for user, want := range map[int64]int{-1: 1, 0: 1, 1336: 1, 1337: 0} {
		s := testSettings
		s.Broker.RunAsUser = user
		p, err := Decode([]byte(`{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"istio-validation"}],"containers":[{"name":"a"},{"name":"istio-proxy"}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), s)
		if err != nil {
			t.Fatal(err)
		}
		late := 0
		for _, w := range r.Warnings {
			if w.Code == codeLateNetwork {
				late++
			}
		}
		if late != want {
			t.Errorf("user %d: warnings %v", user, r.Warnings)
		}
	}
}

// TestEarlyContainerIsWarnedOnce, for all clouds, and whatever else it is warned of.
func TestEarlyContainerIsWarnedOnce(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"early","env":[{"name":"AWS_ACCESS_KEY_ID","value":"x"}]},{"name":"istio-proxy","restartPolicy":"Always"}],"containers":[{"name":"a"}]}}`)
	var got []string
	for _, w := range plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 3)).Warnings {
		got = append(got, w.Code+" "+w.Where)
	}
	want := []string{codeStaticKeys + " Pod p container early", codeEarlyContainer + " Pod p container early"}
	if !slices.Equal(got, want) {
		t.Errorf("warnings %v, want %v", got, want)
	}
}

// TestEarlyContainerHasPlainTokens: they are files, which need no broker, and a pod whose
// other containers are skipped has them by that one.
func TestEarlyContainerHasPlainTokens(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"early"},{"name":"istio-proxy","restartPolicy":"Always"}],"containers":[{"name":"a"}]}}`)
	a := serviceaccount.Answer{SkipContainers: []string{"a", "istio-proxy"}, OIDC: &serviceaccount.OIDC{
		Grant:     serviceaccount.Grant{Mode: serviceaccount.ModeBroker, TokenExpiration: 3600},
		Audiences: []oidc.Audience{{Name: "vault", Audience: "v"}},
		Identity:  oidc.Identity{Sources: []oidc.Source{{Name: "api", TokenURL: "https://login.example.com/token", Audience: "a"}}},
	}}
	r := plan(t, pod, a)
	if len(r.Injected) != 1 || r.Injected[0].Cloud != "oidc" {
		t.Fatalf("injected %v", r.Injected)
	}
	early := typed(t, apply(t, pod, r.Patch)).Spec.InitContainers[0]
	if early.Name != "early" || len(early.VolumeMounts) != 1 || early.VolumeMounts[0].MountPath != "/var/run/secrets/podpass.io/oidc" {
		t.Errorf("%s mounts %v", early.Name, early.VolumeMounts)
	}
}

// TestUsersMountsStay: at podpass's own places too, in a pod that an earlier plan has
// injected: whose a mount is, its volume tells.
func TestUsersMountsStay(t *testing.T) {
	dirs := []string{awsTokenDir, gcpTokenDir, gcpConfigDir, gcloudDir, azureTokenDir, azureTokenDirOld, oidcDir, kubeDir, kubeconfigDir, "/var/run/secrets/own"}
	var mounts []corev1.VolumeMount
	for _, dir := range dirs {
		mounts = append(mounts, corev1.VolumeMount{Name: "mine", MountPath: dir})
	}
	why, err := json.Marshal(map[string]any{
		"aws": map[string]string{"mode": "direct"}, "gcp": map[string]string{"mode": "direct"}, "azure": map[string]string{"mode": "direct"}, "kube": map[string]string{"mode": "direct"},
	})
	if err != nil {
		t.Fatal(err)
	}
	pod := corev1.Pod{Spec: corev1.PodSpec{
		Volumes: []corev1.Volume{{Name: "mine", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		Containers: []corev1.Container{{
			Name: "a", VolumeMounts: mounts,
			Env: []corev1.EnvVar{{Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: "/var/run/secrets/own/token"}},
		}, {Name: "b"}},
	}}
	pod.Name, pod.Annotations = "p", map[string]string{InjectionAnnotation: string(why)}
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
		after := typed(t, apply(t, raw, plan(t, raw, benchAnswer(mode, 3)).Patch)).Spec.Containers[0].VolumeMounts
		for _, m := range mounts {
			if !slices.ContainsFunc(after, func(have corev1.VolumeMount) bool { return have.Name == m.Name && have.MountPath == m.MountPath }) {
				t.Errorf("%s: the mount at %s has gone", mode, m.MountPath)
			}
		}
	}
}

// TestSkippedContainerOfThePlatform: what EKS's webhook has put into a container that is
// skipped says nothing of the pod's mode.
func TestSkippedContainerOfThePlatform(t *testing.T) {
	a := benchAnswer(serviceaccount.ModeBroker, 1)
	eks := fmt.Sprintf(`"env":[{"name":"AWS_ROLE_ARN","value":%q},{"name":"AWS_WEB_IDENTITY_TOKEN_FILE","value":%q}],"volumeMounts":[{"name":%q,"mountPath":%q}]`,
		a.AWS.RoleARN, awsTokenFile, awsVolume, awsTokenDir)
	pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"},{"name":"proxy",` + eks + `}]}}`)
	for skip, want := range map[string]serviceaccount.Mode{"proxy": serviceaccount.ModeBroker, "other": serviceaccount.ModeDirect} {
		a.SkipContainers = []string{skip}
		if r := plan(t, pod, a); len(r.Injected) != 1 || r.Injected[0].Mode != want {
			t.Errorf("%s is skipped: %v, want %s", skip, r.Injected, want)
		}
	}
	// What only broker mode has is not given up for the platform.
	a.SkipContainers, a.AWS.Chain = nil, []string{"arn:aws:iam::123456789012:role/next"}
	if r := plan(t, pod, a); len(r.Injected) != 1 || r.Injected[0].Mode != serviceaccount.ModeBroker {
		t.Errorf("with a chain of one: %v", r.Injected)
	}
}

// TestExcludedPorts: as meshes list them; what is no number excludes nothing.
func TestExcludedPorts(t *testing.T) {
	for list, want := range map[string]bool{
		"443": true, "80,443": true, " 443 ": true, "1-443": true, "443-443": true, "400-500,8080": true,
		"": false, "80": false, "444-500": false, "1-442": false, "x-443": false, "x": false, "443-x": false, "0-x": false,
	} {
		if got := excludesPort(list, 443); got != want {
			t.Errorf("%q: %t", list, got)
		}
	}
}
