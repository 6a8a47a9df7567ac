package policies

import (
	"encoding/json"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// before creates what policies would refuse, before they are there.
func (s *server) before(t *testing.T) {
	t.Helper()
	s.apply(t, "{apiVersion: v1, kind: Node, metadata: {name: a}}") // pods of a node that is none are taken away
	for namespace, manifest := range map[string]string{
		"other":   account("eks.amazonaws.com/role-arn: shop-a"),
		"keyless": withEnv("AWS_SECRET_ACCESS_KEY", "x"),
		"listed":  replaced(withToken(", audience: nomad"), "{serviceAccountName", "{nodeName: a, serviceAccountName"),
	} {
		if err := s.create(t, namespace, replaced(manifest, "name: orders", "name: older"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// staysAsItWas: a policy is about what somebody writes now. What is there is not refused
// what controllers do, nor its end.
func (s *server) staysAsItWas(t *testing.T) {
	accounts, pods := s.client.CoreV1().ServiceAccounts("other"), s.client.CoreV1().Pods("keyless")
	patch := func(annotations map[string]any, field string, value any) error {
		body, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}, field: value})
		if err != nil {
			t.Fatal(err)
		}
		_, err = accounts.Patch(t.Context(), "older", types.MergePatchType, body, metav1.PatchOptions{DryRun: dryRun.DryRun})
		return err
	}
	if err := patch(map[string]any{}, "imagePullSecrets", []any{map[string]any{"name": "a"}}); err != nil {
		t.Errorf("a field that is no claim: %v", err)
	}
	if err := patch(map[string]any{"eks.amazonaws.com/role-arn": nil}, "secrets", nil); err != nil {
		t.Errorf("a claim that is taken back: %v", err)
	}
	want := `WI300 ServiceAccount other/older asks for the AWS role "arn:aws:iam::111122223333:role/admin": no rule of policy identities is about namespace other` + ask
	if got := refusal(patch(map[string]any{"eks.amazonaws.com/role-arn": "admin"}, "secrets", nil)); got != want {
		t.Errorf("another claim: %s", got)
	}
	debug := func(env string) error {
		body := `{"spec":{"ephemeralContainers":[{"name":"debug","image":"debug"` + env + `}]}}`
		_, err := pods.Patch(t.Context(), "older", types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{DryRun: dryRun.DryRun}, "ephemeralcontainers")
		return err
	}
	if err := debug(""); err != nil {
		t.Errorf("a debugger in a pod with a key: %v", err)
	}
	if got, want := refusal(debug(`, "env": [{"name":"AWS_SECRET_ACCESS_KEY","value":"x"}]`)), keys("Pod keyless/older", "container debug sets AWS_SECRET_ACCESS_KEY"); got != want {
		t.Errorf("a debugger with a key: %s", got)
	}
	if err := pods.Delete(t.Context(), "older", metav1.DeleteOptions{DryRun: dryRun.DryRun}); err != nil {
		t.Error(err)
	}
}

// workloads: whoever writes one with a key hears of it, and is not refused.
func (s *server) workloads(t *testing.T) {
	template := `template: {metadata: {labels: {a: b}}, spec: {restartPolicy: RESTART, containers: [{name: app, image: app, env: [{name: AWS_SECRET_ACCESS_KEY, value: x}]}]}}`
	for name, tt := range map[string]struct{ object, who string }{
		"Deployment": {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: orders}, spec: {selector: {matchLabels: {a: b}}, " + template + "}}", "the pods of Deployment keyless/orders"},
		"CronJob":    {"{apiVersion: batch/v1, kind: CronJob, metadata: {name: orders}, spec: {schedule: '0 0 * * *', jobTemplate: {spec: {" + template + "}}}}", "the pods of CronJob keyless/orders"},
	} {
		restart := map[string]string{"Deployment": "Always", "CronJob": "Never"}[name]
		s.warnings.take()
		if err := s.create(t, "keyless", replaced(tt.object, "RESTART", restart), dryRun); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := keys(tt.who, "container app sets AWS_SECRET_ACCESS_KEY")
		if said := s.warnings.take(); len(said) != 1 || !hasSuffix(said[0], "': "+want) {
			t.Errorf("%s: %q\nwant %s", name, said, want)
		}
	}
}

// tokenRequests: who may ask for tokens asks for those that a rule lists, but for kubelet,
// whose pods have been looked at.
func (s *server) tokenRequests(t *testing.T) {
	ask := func(client kubernetes.Interface, namespace string, audiences ...string) error {
		_, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "default",
			&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}, metav1.CreateOptions{})
		return err
	}
	pod, err := s.client.CoreV1().Pods("listed").Get(t.Context(), "older", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound := authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{"nomad"}, BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID},
	}}
	person, err := kubernetes.NewForConfig(s.as(t, "jane"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := kubernetes.NewForConfig(s.as(t, "system:node:a", "system:nodes"))
	if err != nil {
		t.Fatal(err)
	}
	_, kubelet := node.CoreV1().ServiceAccounts("listed").CreateToken(t.Context(), "default", &bound, metav1.CreateOptions{})
	refused := func(audience string) string {
		return `WI308 jane asks for a token of ServiceAccount listed/default for the audience "` + audience + `": rule "listed" of policy audiences does not allow it` + whom
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"listed":                             {ask(person, "listed", "sts.amazonaws.com"), ""},
		"not listed":                         {ask(person, "listed", "nomad"), refused("nomad")},
		"one of two":                         {ask(person, "listed", "sts.amazonaws.com", "nomad"), refused("nomad")},
		"the API server's":                   {ask(person, "listed", "https://kubernetes.default.svc"), refused("https://kubernetes.default.svc")},
		"the API server's, allowed":          {ask(person, "trusted", "https://kubernetes.default.svc"), ""},
		"any, in a namespace of no rule":     {ask(person, "shop", "nomad"), ""},
		"the API server's, by none, no rule": {ask(person, "shop"), ""},
		"kubelet's":                          {kubelet, ""},
	} {
		if got := refusal(tt.err); got != tt.want {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
	}
}
