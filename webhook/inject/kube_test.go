package inject

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

func kubeAnswer(clusters ...kube.Cluster) serviceaccount.Answer {
	return serviceaccount.Answer{Kube: &serviceaccount.Kube{Clusters: clusters, Grant: serviceaccount.Grant{Mode: serviceaccount.ModeBroker, Source: "annotation"}}}
}

// TestKubeconfigIsUnderstood holds what the init container is told against the fields that
// clients know, $ included, which kubelet takes for a reference.
func TestKubeconfigIsUnderstood(t *testing.T) {
	pod := []byte(`{"metadata":{"name":"p","namespace":"shop"},"spec":{"containers":[{"name":"c"}]}}`)
	r := plan(t, pod, kubeAnswer(kube.Cluster{Name: "us", Server: "https://us.example.com/$(A)", CABundle: "PEM", Audience: "us"}))
	after := typed(t, apply(t, pod, r.Patch))
	init := after.Spec.InitContainers[0]
	if init.Name != "podpass-kubeconfig" || !slices.Equal(init.Command, []string{"/podpass-broker", "write-file", "/var/run/secrets/podpass.io/kubeconfig/config"}) {
		t.Fatalf("%s runs %q", init.Name, init.Command)
	}
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server string
				CA     string `json:"certificate-authority-data"`
			}
		}
		Users []struct {
			User struct{ TokenFile string }
		}
		Contexts []struct {
			Context struct{ Namespace string }
		}
		Current string `json:"current-context"`
	}
	// As kubelet expands it.
	text := strings.ReplaceAll(init.Env[0].Value, "$$", "$")
	if err := yaml.Unmarshal([]byte(text), &config); err != nil || len(config.Clusters) != 1 || len(config.Users) != 1 || len(config.Contexts) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	got := []string{config.Current, config.Clusters[0].Cluster.Server, config.Clusters[0].Cluster.CA, config.Users[0].User.TokenFile, config.Contexts[0].Context.Namespace}
	want := []string{"us", "https://us.example.com/$(A)", base64.StdEncoding.EncodeToString([]byte("PEM")), "/var/run/secrets/podpass.io/kube/us", "shop"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOwnKubeconfig: a container's own stays, with a warning unless it has podpass's on
// its list; the tokens are there for either.
func TestOwnKubeconfig(t *testing.T) {
	for name, test := range map[string]struct {
		env    string
		warned bool
	}{
		"none":             {`[]`, false},
		"empty":            {`[{"name":"KUBECONFIG","value":""}]`, false},
		"another":          {`[{"name":"KUBECONFIG","value":"/etc/kubeconfig"}]`, true},
		"not to be seen":   {`[{"name":"KUBECONFIG","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}]`, true},
		"podpass's":        {`[{"name":"KUBECONFIG","value":"/var/run/secrets/podpass.io/kubeconfig/config"}]`, false},
		"podpass's beside": {`[{"name":"KUBECONFIG","value":"/etc/kubeconfig:/var/run/secrets/podpass.io/kubeconfig/config"}]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			pod := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":` + test.env + `}]}}`)
			r := plan(t, pod, kubeAnswer(kube.Cluster{Name: "us", Server: "https://us.example.com", Audience: "us"}))
			var warned []string
			for _, w := range r.Warnings {
				warned = append(warned, w.Code+" "+w.Where)
			}
			var want []string
			if test.warned {
				want = []string{"WI050 Pod p container c variable KUBECONFIG"}
			}
			if !slices.Equal(warned, want) {
				t.Errorf("warned %q, want %q", warned, want)
			}
			var before []corev1.EnvVar
			if err := json.Unmarshal([]byte(test.env), &before); err != nil {
				t.Fatal(err)
			}
			if !test.warned && !strings.HasPrefix(name, "podpass's") {
				before = append(before, corev1.EnvVar{Name: "KUBECONFIG", Value: "/var/run/secrets/podpass.io/kubeconfig/config"})
			}
			c := typed(t, apply(t, pod, r.Patch)).Spec.Containers[0]
			if diff := cmp.Diff(before, c.Env); diff != "" || len(c.VolumeMounts) != 2 {
				t.Errorf("%s\nmounts %v", diff, c.VolumeMounts)
			}
		})
	}
}

// TestTwoWriters: Google's configuration in direct mode and a kubeconfig are written by an
// init container each, before the broker; an earlier plan's makes way for a new list of
// clusters and leaves the other as it is.
func TestTwoWriters(t *testing.T) {
	a := benchAnswer(serviceaccount.ModeBroker, 3)
	a.GCP.Mode = serviceaccount.ModeDirect
	a.Kube = kubeAnswer(kube.Cluster{Name: "us", Server: "https://us.example.com", Audience: "us"}).Kube
	names := func(pod []byte) []string {
		var list []string
		for _, c := range typed(t, pod).Spec.InitContainers {
			list = append(list, c.Name)
		}
		return list
	}
	raw := []byte(`{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"mine"}],"containers":[{"name":"c"}]}}`)
	once := apply(t, raw, plan(t, raw, a).Patch)
	want := []string{"podpass-broker", "podpass-gcp-config", "podpass-kubeconfig", "mine"}
	if got := names(once); !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	if r := plan(t, once, a); r.Patch != nil {
		t.Errorf("again: %s", r.Patch)
	}
	a.Kube = kubeAnswer(kube.Cluster{Name: "eu", Server: "https://eu.example.com", Audience: "eu"}).Kube
	r := plan(t, once, a)
	twice := apply(t, once, r.Patch)
	if got := names(twice); !slices.Equal(got, want) {
		t.Fatalf("with another cluster: %q, want %q", got, want)
	}
	if text := typed(t, twice).Spec.InitContainers[2].Env[0].Value; strings.Contains(text, "us.example.com") || !strings.Contains(text, "eu.example.com") {
		t.Errorf("with another cluster: %s", text)
	}
	if len(r.Missing) != 1 || r.Missing[0].Cloud != "kube" {
		t.Errorf("missing %v", r.Missing)
	}
	a.Kube = nil
	if got := names(apply(t, twice, plan(t, twice, a).Patch)); !slices.Equal(got, []string{"podpass-broker", "podpass-gcp-config", "mine"}) {
		t.Errorf("with none: %q", got)
	}
}
