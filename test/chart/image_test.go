package chart

import (
	"strings"
	"testing"
)

// TestImages: a registry, a mirror for all of them, a tag, a digest; of the webhook and of
// the sidecar alike, and of the latter's settings.
func TestImages(t *testing.T) {
	const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for name, test := range map[string]struct {
		args            []string
		webhook, broker string
	}{
		"defaults":            {nil, "podpass-io/podpass:0.1.0", "podpass-io/podpass-broker:0.1.0"},
		"registry":            {[]string{"image.registry=r.example.com", "broker.image.registry=s.example.com:5000"}, "r.example.com/podpass-io/podpass:0.1.0", "s.example.com:5000/podpass-io/podpass-broker:0.1.0"},
		"mirror":              {[]string{"image.registry=r.example.com", "global.imageRegistry=m.example.com/all/"}, "m.example.com/all/podpass-io/podpass:0.1.0", "m.example.com/all/podpass-io/podpass-broker:0.1.0"},
		"repository and tag":  {[]string{"image.repository=r.example.com/p", "image.tag=1.2", "broker.image.tag=3"}, "r.example.com/p:1.2", "podpass-io/podpass-broker:3"},
		"digest":              {[]string{"image.digest=" + digest}, "podpass-io/podpass@" + digest, "podpass-io/podpass-broker:0.1.0"},
		"digest and tag":      {[]string{"broker.image.digest=" + digest, "broker.image.tag=1.2"}, "podpass-io/podpass:0.1.0", "podpass-io/podpass-broker:1.2@" + digest},
		"digest and registry": {[]string{"global.imageRegistry=m.example.com", "image.digest=" + digest}, "m.example.com/podpass-io/podpass@" + digest, "m.example.com/podpass-io/podpass-broker:0.1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var args []string
			for _, a := range test.args {
				args = append(args, "--set-string", a)
			}
			all := render(t, args...)
			if got := webhook(t, all).Image; got != test.webhook {
				t.Errorf("webhook: %s, want %s", got, test.webhook)
			}
			if got := settingOf(t, all, "broker", "image"); got != test.broker {
				t.Errorf("broker: %v, want %s", got, test.broker)
			}
		})
	}
}

// TestPullSecrets: as names or as references, the chart's and the cluster's, each once; and
// none of the webhook's in other namespaces.
func TestPullSecrets(t *testing.T) {
	all := render(t, "--values", "testdata/matrix/image-mirror.yaml")
	for _, p := range pods(t, all) {
		var names []string
		for _, s := range p.Spec.ImagePullSecrets {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != "other mirror" {
			t.Errorf("pull secrets %q, want other and mirror", got)
		}
	}
}
