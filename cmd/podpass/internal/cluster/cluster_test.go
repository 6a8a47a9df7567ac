package cluster

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

var chartLabels = map[string]string{"app.kubernetes.io/name": "podpass"}

func registration(name, namespace string) *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: chartLabels},
		Webhooks:   []admissionregistrationv1.MutatingWebhook{{ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: name + "-webhook"}}}},
	}
}

func configMap(namespace, name, settings string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: chartLabels}, Data: map[string]string{"config.yaml": settings}}
}

func labelled(namespace, name, settings, text string) *corev1.ConfigMap {
	m := configMap(namespace, name, text)
	m.Labels = map[string]string{"app.kubernetes.io/name": "podpass", "podpass.io/settings": settings}
	return m
}

func current(namespace, name, text string) *corev1.ConfigMap {
	return labelled(namespace, name, "current", text)
}

const good = "broker: {image: example.com/broker:1}\naws: {region: eu-central-1}\n"

// TestSettings: those of the installation, wherever somebody may read them; what is not
// known is said, and never taken for nothing.
func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		objects   []runtime.Object
		forbidden []string
		region    string
		defaults  bool
		warns     string
		err       string
	}{
		"installed":     {objects: []runtime.Object{registration("podpass", "system"), configMap("system", "podpass-webhook", good)}, region: "eu-central-1"},
		"by its digest": {objects: []runtime.Object{registration("podpass", "system"), current("system", "podpass-webhook-0123456789", good)}, region: "eu-central-1"},
		"beside former ones": {objects: []runtime.Object{registration("podpass", "system"), labelled("system", "podpass-webhook-0000000000", "former", "broker: {image: i}"),
			current("system", "podpass-webhook-0123456789", good), labelled("system", "podpass-webhook-ffffffffff", "former", "broker: {image: i}")}, region: "eu-central-1"},
		"only former ones":     {objects: []runtime.Object{registration("podpass", "system"), labelled("system", "podpass-webhook-0000000000", "former", good)}, defaults: true, warns: "podpass.io/settings=current"},
		"not installed":        {objects: []runtime.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "other-webhook"}, Data: map[string]string{"config.yaml": good}}}, defaults: true},
		"registrations hidden": {objects: []runtime.Object{configMap("system", "podpass-webhook", good)}, forbidden: []string{"mutatingwebhookconfigurations"}, region: "eu-central-1"},
		"all hidden":           {forbidden: []string{"mutatingwebhookconfigurations", "configmaps"}, defaults: true, warns: "the installation's settings could not be read"},
		"ConfigMaps hidden":    {objects: []runtime.Object{registration("podpass", "system")}, forbidden: []string{"configmaps"}, defaults: true, warns: "give them by --settings"},
		"no ConfigMap":         {objects: []runtime.Object{registration("podpass", "system")}, defaults: true, warns: "has no ConfigMap with the label podpass.io/settings=current"},
		"malformed":            {objects: []runtime.Object{configMap("system", "podpass-webhook", "awss: {}")}, err: "ConfigMap system/podpass-webhook: read settings: unknown field \"awss\""},
		"two": {objects: []runtime.Object{registration("a", "one"), registration("b", "two"), configMap("one", "a-webhook", good), configMap("two", "b-webhook", good)},
			err: "the cluster has 2 installations of podpass: one/a-webhook, two/b-webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(test.objects...)
			for _, resource := range test.forbidden {
				client.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
					return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))
				})
			}
			var stderr bytes.Buffer
			s, defaults, err := New("1").Settings(t.Context(), client, &stderr)
			if err != nil {
				if test.err == "" || !strings.HasPrefix(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if test.err != "" || defaults != test.defaults || s.AWS.Region != test.region || s.Broker.Image == "" {
				t.Errorf("settings %+v, defaults %t", s, defaults)
			}
			if test.warns == "" && stderr.Len() > 0 || !strings.Contains(stderr.String(), test.warns) {
				t.Errorf("standard error %q, want %q", stderr.String(), test.warns)
			}
		})
	}
	client := fake.NewClientset()
	client.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	if _, _, err := New("1").Settings(t.Context(), client, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a cluster that does not answer: %v", err)
	}
}

// TestFlags: kubectl's own decide, and the settings' file goes before the cluster's.
func TestFlags(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(config, []byte(`{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: one, cluster: {server: "https://one.example.com"}}, {name: two, cluster: {server: "https://two.example.com"}}],
contexts: [{name: a, context: {cluster: one, namespace: shop}}, {name: b, context: {cluster: two}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "settings.yaml")
	if err := os.WriteFile(settings, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                                 "https://one.example.com shop a",
		"--context b":                      "https://two.example.com default b",
		"-n other":                         "https://one.example.com other a",
		"--server https://3.example.com":   "https://3.example.com shop a",
		"--cluster two --as somebody":      "https://two.example.com shop a",
		"--settings " + settings + " -n x": "https://one.example.com x a",
	} {
		f := New("7")
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.Add(set, "")
		f.AddSelection(set)
		if err := set.Parse(append([]string{"--kubeconfig", config}, strings.Fields(args)...)); err != nil {
			t.Fatal(err)
		}
		c, err := f.REST("do without")
		if err != nil {
			t.Fatal(err)
		}
		namespace, err := f.Namespace()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Host + " " + namespace + " " + f.ContextName(); got != want || c.UserAgent != "podpass/7" {
			t.Errorf("%s: %s, user agent %s, want %s", args, got, c.UserAgent, want)
		}
		if strings.Contains(args, "--settings") {
			if s, defaults, err := f.Settings(t.Context(), fake.NewClientset(), nil); err != nil || defaults || s.AWS.Region != "eu-central-1" {
				t.Errorf("%+v, %t, %v", s, defaults, err)
			}
		}
	}
	several, set := New("7"), pflag.NewFlagSet("", pflag.ContinueOnError)
	several.AddContexts(set)
	several.Add(set, "")
	if err := set.Parse([]string{"--kubeconfig", config, "--context", "a", "--as", "me", "--as-group", "dev", "--context", "b"}); err != nil {
		t.Fatal(err)
	}
	if got := several.ContextNames(); strings.Join(got, " ") != "a b" {
		t.Errorf("contexts %v", got)
	}
	if c, err := several.ContextCluster("b"); err != nil || c.Server != "https://two.example.com" {
		t.Errorf("the cluster of b: %+v, %v", c, err)
	}
	if _, err := several.ContextCluster("none"); err == nil || err.Error() != `the kubeconfig has no context "none"` {
		t.Errorf("the cluster of none: %v", err)
	}
	each, err := several.Each()
	if err != nil || len(each) != 2 {
		t.Fatalf("%d clusters, %v", len(each), err)
	}
	for i, want := range []string{"a", "b"} {
		c, err := each[i].REST("do without")
		if err != nil {
			t.Fatal(err)
		}
		if got := each[i].ContextName(); got != want || !slices.Equal(c.Impersonate.Groups, []string{"dev"}) {
			t.Errorf("context %q as %v, want %q", got, c.Impersonate.Groups, want)
		}
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "none"))
	if _, err := New("1").REST("do without"); err == nil || !strings.HasPrefix(err.Error(), "kubeconfig: no cluster is configured") {
		t.Errorf("without a cluster: %v", err)
	}
}
