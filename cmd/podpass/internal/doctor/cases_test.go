package doctor

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// broken is a set-up with one fault. want are the codes that must be found, and no other;
// none: it is sound.
type broken struct {
	world func(t *testing.T, w *world)
	// api and issuer change answers on the way.
	api, issuer tamper
	// trust of the stand-in AWS; options of the run.
	trust   func(*trust.AWS)
	options func(*Options)
	targets string // "pod/orders-1"
	want    string
	// says is a part of the finding's text.
	says string
}

func ports(list ...int) (out []networkingv1.NetworkPolicyPort) {
	for _, p := range list {
		protocol := corev1.ProtocolTCP
		if p == 53 {
			protocol = corev1.ProtocolUDP
		}
		out = append(out, networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt(p))})
	}
	return out
}

func policy(w *world, egress ...networkingv1.NetworkPolicyEgressRule) {
	w.policies = []*networkingv1.NetworkPolicy{{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "orders"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "orders"}}, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}, Egress: egress,
		},
	}}
}

func env(name, value string) []corev1.EnvVar { return []corev1.EnvVar{{Name: name, Value: value}} }

// container changes the pod's application, and has the pod injected.
func container(change func(*corev1.Container)) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		p := w.pod("orders-1")
		change(&p.Spec.Containers[0])
		w.pods = []*corev1.Pod{w.injected(t, p)}
	}
}

// withLimits has a LimitRange in the namespace that demands more of a sidecar than it asks for
// by itself, and the pod as the API server and the webhook admit it there.
func withLimits(t *testing.T, w *world) {
	least := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("150m"), corev1.ResourceMemory: resource.MustParse("100Mi")}
	w.limits = []corev1.LimitRange{{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "least"},
		Spec:       corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Min: least}}},
	}}
	p := w.pod("orders-1")
	p.Spec.Containers[0].Resources.Requests = least // as the plugin LimitRanger, before the webhook
	w.pods = []*corev1.Pod{w.injected(t, p)}
	if got := w.pods[0].Spec.InitContainers[0].Resources.Requests.Cpu().String(); got != "150m" {
		t.Fatalf("the sidecar asks for %s of CPU, and so the LimitRange makes no difference", got)
	}
}

// bare leaves the pod as nobody has injected it.
func bare(_ *testing.T, w *world) { w.pods = []*corev1.Pod{w.pod("orders-1")} }

// statusOf is the status of a pod whose sidecar is in a state.
func statusOf(state corev1.ContainerState) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodRunning, InitContainerStatuses: []corev1.ContainerStatus{{Name: "podpass-broker", Image: "x", ImageID: "x", State: state}}}
}

// cases are the chain, link by link.
func cases() map[string]broken {
	return map[string]broken{
		"sound":                       {},
		"sound, and the cloud agrees": {options: func(o *Options) { o.Exchange = true }},

		// The cluster.
		"unreachable":                   {api: tamper{at: "/version", status: 503}, want: codeUnreachable},
		"not let in":                    {api: tamper{at: "/version", status: 401}, want: codeUnreachable},
		"pods not shown":                {api: tamper{at: "/pods", status: 403}, want: codeForbidden, says: "list pods"},
		"no token right":                {api: tamper{at: "/token", status: 403}, want: codeForbidden, says: "serviceaccounts/token"},
		"no token right in a namespace": {targets: "namespace/NAMESPACE", api: tamper{at: "/token", status: 403}, want: codeForbidden, says: "serviceaccounts/token"},
		"a sound namespace":             {targets: "namespace/NAMESPACE"},
		"settings hidden":               {api: tamper{at: "/configmaps", status: 403}, want: codeForbidden, says: "configmaps"},
		"old":                           {api: tamper{at: "/version", edit: replace(`"37"`, `"28"`)}, want: codeOldServer},
		"misspelt":                      {targets: "pod/ordesr-1", want: codeNotThere},
		"no namespace":                  {targets: "namespace/shpo", want: codeNotThere},
		"pods refused": {targets: "deployment/orders", want: codeRefused, says: "quota", world: func(_ *testing.T, w *world) {
			w.pods = nil
			w.workload = deployment(w.namespace, "orders", "example.com/orders:1", 1)
			w.workload.Labels, w.workload.Spec.Template.Spec.ServiceAccountName = nil, "orders"
			w.quota = &corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "nothing"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
			}
			w.workload.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota"}}
		}},

		// The issuer.
		"issuer at a private address":   {options: func(o *Options) { o.PrivateIssuer = false }, want: "WI110"},
		"discovery not public":          {issuer: tamper{at: "/openid-configuration", status: 403}, want: "WI111", says: "system:service-account-issuer-discovery"},
		"issuer's CA is private":        {options: func(o *Options) { o.Issuer = mustClient("") }, want: "WI112"},
		"document of another issuer":    {issuer: tamper{at: "/openid-configuration", edit: replace(`"issuer":"https://`, `"issuer":"https://other.`)}, want: "WI113"},
		"tokens of another issuer":      {api: tamper{at: "/token", edit: editToken(func(_, c map[string]any) { c["iss"] = "https://former.example.com" })}, want: "WI114"},
		"keys not published":            {issuer: tamper{at: "/jwks", status: 404}, want: "WI115"},
		"signing key not published":     {api: tamper{at: "/token", edit: editToken(func(h, _ map[string]any) { h["kid"] = "new" })}, want: "WI116"},
		"algorithm that no cloud takes": {api: tamper{at: "/token", edit: editToken(func(h, _ map[string]any) { h["alg"] = "PS256" })}, want: "WI117"},
		"cached for a month":            {issuer: tamper{at: "/jwks", header: map[string]string{"Cache-Control": "max-age=2592000"}}, want: "WI118"},

		// The installation.
		"not installed":      {want: codeNotInstalled, world: func(_ *testing.T, w *world) { w.registration, w.settings, w.ready = nil, "", nil }},
		"no ConfigMap":       {want: codeNoSettings, world: func(_ *testing.T, w *world) { w.settings = "" }},
		"settings malformed": {want: codeBadSettings, says: "awss", world: func(_ *testing.T, w *world) { w.settings += "\nawss: {}\n" }},
		"no CA": {want: codeCABundle, world: func(_ *testing.T, w *world) {
			for i := range w.registration.Webhooks {
				w.registration.Webhooks[i].ClientConfig.CABundle = nil
			}
		}},
		"CA has ended": {want: codeCABundle, says: "has ended", world: func(t *testing.T, w *world) {
			w.registration = registration("podpass", system, authority(t, time.Now().Add(-time.Minute)))
		}},
		"no replica ready": {want: codeNoEndpoints, says: "podpass-webhook-1", world: func(_ *testing.T, w *world) { w.ready["podpass-webhook-1"] = false }},
		"two versions": {want: codeVersions, world: func(_ *testing.T, w *world) {
			w.webhooks = []*appsv1.Deployment{deployment(system, "a", "example.com/podpass:1", 0), deployment(system, "b", "example.com/podpass:2", 0)}
		}},
		"an entry is gone": {want: codeRegistration, says: "azure-opted-in.podpass.io", world: func(_ *testing.T, w *world) { w.registration.Webhooks = w.registration.Webhooks[:4] }},
		"policy was changed": {want: codeRegistration, says: "failurePolicy", world: func(_ *testing.T, w *world) {
			w.registration.Webhooks[2].FailurePolicy = new(admissionregistrationv1.Ignore)
		}},
		"EKS's webhook too": {want: codeOtherWebhook, world: func(_ *testing.T, w *world) {
			other := registration("pod-identity-webhook", "eks", nil)
			other.Labels, other.Webhooks = nil, other.Webhooks[:1]
			w.others = append(w.others, other)
		}},
		"installed twice": {want: codeSeveral, world: func(t *testing.T, w *world) {
			second := registration("second", w.namespace, authority(t, time.Now().Add(time.Hour)))
			for i := range second.Webhooks {
				second.Webhooks[i].ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"never": "true"}}
			}
			w.others = append(w.others, second)
			w.configMaps = append(w.configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "second-webhook", Labels: chartLabels}, Data: map[string]string{"config.yaml": w.settings}})
		}},
		"a replica is down": {want: codeReplicaDown, world: func(_ *testing.T, w *world) {
			w.webhooks = []*appsv1.Deployment{deployment(system, "a", "example.com/podpass:1", 1)}
		}},

		// The ServiceAccount.
		"no ServiceAccount":   {targets: "sa/ordesr", want: codeNoAccount},
		"asks for nothing":    {targets: "sa/orders", want: codeAsksNothing, world: func(_ *testing.T, w *world) { w.account.Annotations = nil }},
		"no ARN":              {want: "WI001", world: func(_ *testing.T, w *world) { w.account.Annotations["eks.amazonaws.com/role-arn"] = "orders" }},
		"misspelt annotation": {want: "WI034", world: func(_ *testing.T, w *world) { w.account.Annotations["podpass.io/aws-external-ids"] = "x" }},

		// A pod of it, by dry run: the tampering is the webhook's part.
		"dry run: injected":    {targets: "sa/orders", options: admission, api: tamper{at: "/pods", method: "POST", edit: webhook(func(*corev1.Pod) bool { return true })}},
		"dry run: nobody asks": {targets: "sa/orders", options: admission, want: codeNotInjected, says: "does not ask podpass"},
		"dry run: only opted in": {targets: "sa/orders", options: admission, want: codeNotInjected, says: "pods.podpass.io",
			api: tamper{at: "/pods", method: "POST", edit: webhook(func(p *corev1.Pod) bool { return p.Labels["podpass.io/inject"] == "true" })}},
		"dry run: refused": {targets: "sa/orders", options: admission, want: codePodRefused, says: "tampered with", api: tamper{at: "/pods", method: "POST", status: 403}},
		"dry run: other sidecar": {targets: "sa/orders", options: admission, want: codeNotInjected, says: "its sidecar", api: tamper{at: "/pods", method: "POST", edit: func(b []byte) []byte {
			return replace("podpass-broker:1", "podpass-broker:2")(webhook(func(*corev1.Pod) bool { return true })(b))
		}}},
		"dry run: no right": {targets: "sa/orders", options: admission, want: codeForbidden, says: "create pods",
			api: tamper{at: "/selfsubjectaccessreviews", edit: replace(`"allowed":true`, `"allowed":false`)}},

		// The pod.
		"older than podpass":        {want: codeOlderThanHook, world: func(t *testing.T, w *world) { bare(t, w); w.podsFirst = true }},
		"older than the annotation": {want: codeOlderThanNote, world: func(t *testing.T, w *world) { bare(t, w); w.noteLast = true }},
		"excluded namespace": {want: codeExcluded, world: func(t *testing.T, w *world) {
			bare(t, w)
			e := &w.registration.Webhooks[0].NamespaceSelector.MatchExpressions[0]
			e.Values = append(e.Values, w.namespace)
		}},
		"opted out":        {want: codeOptedOut, world: func(t *testing.T, w *world) { bare(t, w); w.pods[0].Labels["podpass.io/inject"] = "false" }},
		"missed":           {want: codeMissed, world: bare},
		"label of a copy":  {want: codeDamaged, says: "came with the manifest", world: func(t *testing.T, w *world) { bare(t, w); w.pods[0].Labels["podpass.io/injected"] = "broker" }},
		"variable removed": {want: codeDamaged, world: func(_ *testing.T, w *world) { w.pods[0].Spec.Containers[0].Env = nil }},
		"another role": {want: codeOtherIdentity, says: "role/former", world: func(t *testing.T, w *world) {
			w.account.Annotations["eks.amazonaws.com/role-arn"] = "arn:aws:iam::111122223333:role/former"
			w.pods = []*corev1.Pod{w.injected(t, w.pod("orders-1"))}
			w.account.Annotations["eks.amazonaws.com/role-arn"] = role
		}},
		"former sidecar": {want: codeOtherSidecar, world: func(_ *testing.T, w *world) {
			w.pods[0].Spec.InitContainers[0].Image = "example.com/podpass-broker:former"
		}},
		"former settings": {want: codeOtherSidecar, says: "other settings", world: func(t *testing.T, w *world) {
			w.settings = "broker: {image: example.com/podpass-broker:1}\naws: {stsEndpoints: {aws: \"https://sts.example.com\"}}\n"
			w.pods = []*corev1.Pod{w.injected(t, w.pod("orders-1"))}
			w.settings = publicClouds
		}},
		"sound, with a LimitRange": {world: withLimits},
		"LimitRanges hidden":       {api: tamper{at: "/limitranges", status: 403}, want: codeForbidden, says: "list limitranges", world: withLimits},
		"used up by a LimitRange": {want: "WI076", says: "Burstable where it was Guaranteed", world: func(t *testing.T, w *world) {
			most := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")}
			p := w.pod("orders-1")
			p.Spec.Containers[0].Resources.Limits = most
			w.pods = []*corev1.Pod{w.injected(t, p)} // before there was one
			w.podsFirst = true
			w.limits = []corev1.LimitRange{{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "most"},
				Spec:       corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypePod, Max: most}}},
			}}
		}},
		"image not found": {want: codeSidecarDown, says: "ImagePullBackOff", world: func(_ *testing.T, w *world) {
			w.pods[0].Status = statusOf(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "not found"}})
		}},
		"host network": {want: "WI054", world: func(t *testing.T, w *world) {
			p := w.pod("orders-1")
			p.Spec.HostNetwork = true
			w.pods = []*corev1.Pod{w.injected(t, p)}
		}},

		// Static keys.
		"key in a variable": {want: codeKey, says: "AWS_ACCESS_KEY_ID in the manifest", world: container(func(c *corev1.Container) { c.Env = env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE") })},
		"key from a Secret": {want: codeKey, says: "from Secret legacy key secret", world: container(func(c *corev1.Container) {
			c.Env = []corev1.EnvVar{{Name: "AWS_SECRET_ACCESS_KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "legacy"}, Key: "secret"}}}}
		})},
		"key in a file": {want: codeKeyFile, world: container(func(c *corev1.Container) { c.Env = env("AWS_SHARED_CREDENTIALS_FILE", "/keys/credentials") })},
		"Secret of variables": {want: codeKeySecret, says: "aws-keys", world: container(func(c *corev1.Container) {
			c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "aws-keys"}}}}
		})},

		// The token.
		"no token":            {api: tamper{at: "/token", status: 422}, want: codeTokenRefused, options: func(o *Options) { o.Exchange = true }},
		"audience of its own": {api: tamper{at: "/token", edit: editToken(func(_, c map[string]any) { c["aud"] = []string{"kubernetes"} })}, want: codeClaims},
		"shortened":           {api: tamper{at: "/token", edit: editToken(func(_, c map[string]any) { c["exp"] = c["iat"].(float64) + 60 })}, want: codeTokenLife},

		// The network.
		"nothing goes out": {want: codeEgress, world: func(_ *testing.T, w *world) { policy(w) }},
		"only in the cluster": {want: codeEgress, world: func(_ *testing.T, w *world) {
			policy(w, networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}})
		}},
		"no DNS": {want: codeDNS, world: func(_ *testing.T, w *world) {
			policy(w, networkingv1.NetworkPolicyEgressRule{Ports: []networkingv1.NetworkPolicyPort{{Protocol: new(corev1.ProtocolTCP)}}})
		}},
		"some networks": {want: codeEgressSome, world: func(_ *testing.T, w *world) {
			policy(w, networkingv1.NetworkPolicyEgressRule{Ports: ports(53)}, networkingv1.NetworkPolicyEgressRule{
				Ports: ports(443), To: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8"}}},
			})
			w.settings = publicClouds
		}},
		"all may go out": {world: func(_ *testing.T, w *world) {
			policy(w, networkingv1.NetworkPolicyEgressRule{Ports: ports(53)}, networkingv1.NetworkPolicyEgressRule{
				Ports: ports(443), To: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"169.254.0.0/16"}}}},
			})
			w.settings = publicClouds
		}},

		// The exchange.
		"issuer not registered":   {trust: func(a *trust.AWS) { a.Providers = nil }, options: func(o *Options) { o.Exchange = true }, want: codeIssuerUnknown},
		"audience not registered": {trust: func(a *trust.AWS) { a.Providers[0].Audiences = []string{"other"} }, options: func(o *Options) { o.Exchange = true }, want: codeAudience},
		"not trusted":             {trust: func(a *trust.AWS) { a.Roles[0].Subjects = []string{"system:serviceaccount:other:orders"} }, options: func(o *Options) { o.Exchange = true }, want: codeDenied, says: ":orders"},
		"cloud is away": {want: codeUnavailable, options: func(o *Options) { o.Exchange = true }, world: func(t *testing.T, w *world) {
			w.settings = strings.Replace(w.settings, "https://127.0.0.1:", "https://127.0.0.1:1 #", 1)
			w.pods = []*corev1.Pod{w.injected(t, w.pod("orders-1"))}
		}},

		// The pod's own broker, where there is no kubelet.
		"broker cannot be asked": {want: codeExplain, options: func(o *Options) { o.Explain = true }, world: func(_ *testing.T, w *world) {
			w.pods[0].Status = statusOf(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
		}},
	}
}

func admission(o *Options) { o.Admission = true }

// webhook changes an answer's pod as podpass does, if it is asked.
func webhook(asked func(*corev1.Pod) bool) func([]byte) []byte {
	return func(b []byte) []byte {
		p := new(corev1.Pod)
		if json.Unmarshal(b, p) != nil || !asked(p) {
			return b
		}
		w := &world{settings: publicClouds, account: &corev1.ServiceAccount{}}
		w.account.Annotations = map[string]string{"eks.amazonaws.com/role-arn": role}
		p, err := w.inject(p)
		if err != nil {
			return b // and what is wanted is not found
		}
		out, err := json.Marshal(p)
		if err != nil {
			return b
		}
		return out
	}
}

// publicClouds are settings without endpoints of their own.
const publicClouds = "broker: {image: example.com/podpass-broker:1}\n"
