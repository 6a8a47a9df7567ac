package policies

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const whom = ask

func replaced(s, old, by string) string { return strings.ReplaceAll(s, old, by) }

func hasSuffix(s, suffix string) bool { return strings.HasSuffix(s, suffix) }

// registration stands in for the chart's: the policy looks at who changes what, not at what
// there is. The first entry has what an API server writes by itself, the second nothing.
const registration = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: registered, labels: {a: b}}
webhooks:
  - name: pods.podpass.io
    failurePolicy: Ignore
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {service: {name: podpass-webhook, namespace: podpass, path: /mutate}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    objectSelector: {matchLabels: {never: matches}}
  - name: opted-in.podpass.io
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {service: {name: podpass-webhook, namespace: podpass}}
    objectSelector: {matchLabels: {never: matches}}
`

// registrations: podpass's ServiceAccount writes caBundle, and nothing else; others are not
// meant.
func (s *server) registrations(t *testing.T) {
	s.apply(t, registration)
	const user = "system:serviceaccount:podpass:podpass-webhook"
	podpass, err := kubernetes.NewForConfig(s.as(t, user))
	if err != nil {
		t.Fatal(err)
	}
	refused := "WI306 " + user + " may change nothing of MutatingWebhookConfiguration registered but the caBundle of its webhooks, says policy registrations" + ask
	for name, tt := range map[string]struct {
		patch string
		want  string
	}{
		"a caBundle":                 {`[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"` + ca + `"}]`, ""},
		"both":                       {`[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"` + ca + `"},{"op":"add","path":"/webhooks/1/clientConfig/caBundle","value":"` + ca + `"}]`, ""},
		"nothing":                    {`[]`, ""},
		"a failurePolicy":            {`[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Fail"}]`, refused},
		"a path":                     {`[{"op":"replace","path":"/webhooks/0/clientConfig/service/path","value":"/"}]`, refused},
		"a URL":                      {`[{"op":"remove","path":"/webhooks/0/clientConfig/service"},{"op":"add","path":"/webhooks/0/clientConfig/url","value":"https://example.com"}]`, refused},
		"a caBundle and a rule":      {`[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"` + ca + `"},{"op":"replace","path":"/webhooks/0/rules/0/resources/0","value":"secrets"}]`, refused},
		"a selector":                 {`[{"op":"remove","path":"/webhooks/0/objectSelector/matchLabels"}]`, refused},
		"a match condition":          {`[{"op":"add","path":"/webhooks/0/matchConditions","value":[{"name":"a","expression":"false"}]}]`, refused},
		"an entry that goes":         {`[{"op":"remove","path":"/webhooks/1"}]`, refused},
		"entries that change places": {`[{"op":"move","from":"/webhooks/1","path":"/webhooks/0"}]`, refused},
		"a label":                    {`[{"op":"add","path":"/metadata/labels/c","value":"d"}]`, refused},
		"a label that goes":          {`[{"op":"remove","path":"/metadata/labels/a"}]`, refused},
		"an annotation":              {`[{"op":"add","path":"/metadata/annotations/c","value":"d"}]`, refused},
		"an owner":                   {`[{"op":"add","path":"/metadata/ownerReferences","value":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"b"}]}]`, refused},
		"a finalizer":                {`[{"op":"add","path":"/metadata/finalizers","value":["example.com/a"]}]`, refused},
	} {
		_, err := podpass.AdmissionregistrationV1().MutatingWebhookConfigurations().Patch(t.Context(), "registered", types.JSONPatchType, []byte(tt.patch), metav1.PatchOptions{DryRun: dryRun.DryRun})
		if got := refusal(err); got != tt.want {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
		if _, err := s.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Patch(t.Context(), "registered", types.JSONPatchType, []byte(tt.patch), metav1.PatchOptions{DryRun: dryRun.DryRun}); err != nil {
			t.Errorf("%s, by somebody else: %v", name, err)
		}
	}
	if got := refusal(podpass.AdmissionregistrationV1().MutatingWebhookConfigurations().Delete(t.Context(), "registered", metav1.DeleteOptions{DryRun: dryRun.DryRun})); got != refused {
		t.Errorf("its end: %s", got)
	}
}

// ca is any text in base64: the API server looks into none of it.
const ca = "Y2E="
