package chart

import (
	"strings"
	"testing"
)

// TestMistakesAreNamed: what a schema cannot say ends the rendering, with the value and
// what to write instead. A cluster would otherwise take these and break.
func TestMistakesAreNamed(t *testing.T) {
	const pem = "-----BEGIN CERTIFICATE-----"
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"the kubelet's port on the node": {[]string{"--set", "hostNetwork=true"},
			[]string{"webhook.port: with hostNetwork 10250 is the node's own", "such as 9443"}},
		"kube-proxy's port on the node": {[]string{"--set", "hostNetwork=true", "--set", "webhook.port=9443", "--set", "webhook.probesPort=10256"},
			[]string{"webhook.probesPort: with hostNetwork 10256 is the node's own", "such as 9444"}},
		"one port for two":                {[]string{"--set", "webhook.probesPort=10250"}, []string{"webhook.probesPort: 10250 is webhook.port", "such as 8080"}},
		"two certificates":                {[]string{"--set", "certManager.enabled=true", "--set", "servingCertificate.existingSecret=tls"}, []string{"servingCertificate.existingSecret: tls, and certManager.enabled", "leave one out"}},
		"a certificate that nobody knows": {[]string{"--set", "servingCertificate.existingSecret=tls"}, []string{"servingCertificate.caBundle: required with existingSecret tls"}},
		"a CA by its Secret's name":       {[]string{"--set", "servingCertificate.existingSecret=tls", "--set", "servingCertificate.caBundle=my-ca"}, []string{"servingCertificate.caBundle: has no certificate: write PEM"}},
		"a CA of nothing":                 {[]string{"--set", "servingCertificate.caBundle=" + pem}, []string{"servingCertificate.caBundle: only with servingCertificate.existingSecret", "clientAuth.caBundle"}},
		"no ServiceAccount":               {[]string{"--set", "serviceAccount.create=false"}, []string{"serviceAccount.name: required when serviceAccount.create is false"}},
		"a label that is the chart's":     {[]string{"--set", `commonLabels.app\.kubernetes\.io/name=x`}, []string{"commonLabels: app.kubernetes.io/name is the chart's own", "choose another key"}},
		"a replica's label":               {[]string{"--set-string", `podLabels.podpass\.io/replica=0`}, []string{"podLabels: podpass.io/replica is the chart's own"}},
		"nodes that cannot be drained":    {[]string{"--set", "podDisruptionBudget.minAvailable=2"}, []string{"podDisruptionBudget.minAvailable: 2 of 2 replicas: no node with one of them could be drained", "at most 1"}},
		"all of them, in per cent":        {[]string{"--set", "podDisruptionBudget.minAvailable=100%"}, []string{"podDisruptionBudget.minAvailable: 100% of 2 replicas"}},
		"a budget of nothing":             {[]string{"--set", "podDisruptionBudget.maxUnavailable=0"}, []string{"maxUnavailable"}},
		"a user namespace on the node's network": {[]string{"--set", "hostUsers=false", "--set", "hostNetwork=true", "--set", "webhook.port=9443"},
			[]string{"hostUsers: false cannot be had together with hostNetwork"}},
		"a port below 1024":          {[]string{"--set", "webhook.port=443"}, []string{"webhook/port", "minimum", "1,024"}},
		"a digest that is none":      {[]string{"--set", "image.digest=sha256:abc"}, []string{"image", "digest"}},
		"a registry with a scheme":   {[]string{"--set", "global.imageRegistry=https://r.example.com"}, []string{"global", "imageRegistry"}},
		"a selector without values":  {[]string{"--set-json", `webhook.namespaceSelector={"matchExpressions":[{"key":"podpass","operator":"In"}]}`}, []string{"namespaceSelector", "values"}},
		"a selector's operator":      {[]string{"--set-json", `webhook.namespaceSelector={"matchExpressions":[{"key":"podpass","operator":"Is","values":["on"]}]}`}, []string{"namespaceSelector", "operator"}},
		"a value that there is not":  {[]string{"--set", "webhook.prt=9443"}, []string{"webhook", "prt"}},
		"an issuer without a name":   {[]string{"--set", "certManager.issuerRef.kind=ClusterIssuer"}, []string{"certManager", "issuerRef"}},
		"a time-out of a minute":     {[]string{"--set", "webhook.timeouts.optedIn=60"}, []string{"timeouts", "optedIn", "30"}},
		"an argument without dashes": {[]string{"--set", "extraArgs={log-level=debug}"}, []string{"extraArgs"}},
		"an amount of nothing":       {[]string{"--set", "resources.limits.memory=128MB"}, []string{"resources/limits/memory"}},
		"a limit that is misspelt":   {[]string{"--set", "resources.limit.memory=128Mi"}, []string{"resources", "limit"}},
		"a label of a monitor":       {[]string{"--set", "metrics.serviceMonitor.labels.team=shop and orders"}, []string{"serviceMonitor/labels/team"}},
		"one IP family twice":        {[]string{"--set", "service.ipFamilies={IPv4,IPv4}"}, []string{"service", "ipFamilies"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t, append([]string{"template", "podpass", chartDir, "--namespace", own}, test.args...)...)
			if err == nil {
				t.Fatal("it is rendered")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the message does not say %q:\n%v", part, err)
				}
			}
		})
	}
}
