package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// onceBroker and onceDirect are what the annotation of a pod says that an earlier plan has
// injected.
const (
	onceBroker = `{"aws":{"mode":"broker","identity":"arn:aws:iam::123456789012:role/web"},"gcp":{"mode":"broker","identity":"g"},"azure":{"mode":"broker","identity":"c"}}`
	onceDirect = `{"aws":{"mode":"direct","identity":"arn:aws:iam::123456789012:role/web"},"gcp":{"mode":"direct","identity":"g"},"azure":{"mode":"direct","identity":"c"}}`
	onceNone   = `{"oidc":{"mode":"direct"}}`
	onceKube   = `{"kube":{"mode":"direct"}}`
)

// evidence is by what an earlier plan can be told: the sidecar that it left, at
// 127.0.0.1:9, and its annotation.
type evidence struct {
	sidecar    bool
	annotation string
}

// replanned is the container "a" after a plan that has none of the clouds: all of an
// earlier plan's goes.
func replanned(t *testing.T, by evidence, a corev1.Container) corev1.Container {
	t.Helper()
	var pod corev1.Pod
	pod.Name, pod.Namespace, pod.Annotations = "p", "shop", map[string]string{InjectionAnnotation: by.annotation}
	pod.Spec.ServiceAccountName = "web"
	if by.sidecar {
		pod.Spec.InitContainers = []corev1.Container{{Name: "podpass-broker", Env: []corev1.EnvVar{
			{Name: "PODPASS_IDENTITIES", Value: "{}"}, {Name: "PODPASS_LISTEN", Value: "127.0.0.1:9"},
		}}}
	}
	pod.Spec.Containers = []corev1.Container{a}
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	r := plan(t, raw, serviceaccount.Answer{OIDC: &serviceaccount.OIDC{
		Grant: serviceaccount.Grant{Mode: serviceaccount.ModeBroker, TokenExpiration: 3600}, Audiences: []oidc.Audience{{Name: "vault", Audience: "vault"}},
	}})
	if r.Reason != ReasonInjected || len(r.Errors) > 0 {
		t.Fatalf("%s, %v", r.Reason, r.Errors)
	}
	return typed(t, apply(t, raw, r.Patch)).Spec.Containers[0]
}

// TestEarlierPlansVariables: a variable goes with the plan that wrote it; the user's stays,
// of another value, or of the same where no such plan was.
func TestEarlierPlansVariables(t *testing.T) {
	uid := corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.uid"}}}
	value := func(s string) corev1.EnvVar { return corev1.EnvVar{Value: s} }
	sidecar, noSidecar := evidence{true, ""}, evidence{false, onceDirect}
	direct, broker := evidence{false, onceDirect}, evidence{true, onceBroker}
	none := evidence{true, onceNone}
	// By name, and what tells it from others of that name.
	for variable, test := range map[string]struct {
		is    corev1.EnvVar
		by    evidence
		notBy evidence
	}{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI":         {value("http://127.0.0.1:9/aws/v1/credentials"), sidecar, noSidecar},
		"AWS_CONTAINER_CREDENTIALS_FULL_URI of role": {value("http://127.0.0.1:9/aws/v1/credentials/reader"), sidecar, noSidecar},
		"AWS_CONTAINER_AUTHORIZATION_TOKEN":          {uid, sidecar, noSidecar},
		"AWS_EC2_METADATA_SERVICE_ENDPOINT":          {value("http://127.0.0.1:9/"), sidecar, noSidecar},
		"IDENTITY_HEADER":                            {uid, sidecar, noSidecar},
		"IDENTITY_ENDPOINT":                          {value("http://127.0.0.1:9/azure/v1/token"), sidecar, noSidecar},
		"AZURE_POD_IDENTITY_AUTHORITY_HOST":          {value("http://127.0.0.1:9"), sidecar, noSidecar},
		"GCE_METADATA_HOST":                          {value("127.0.0.1:9"), sidecar, noSidecar},
		"GCE_METADATA_IP":                            {value("127.0.0.1:9"), sidecar, noSidecar},
		"GCE_METADATA_ROOT":                          {value("127.0.0.1:9"), sidecar, noSidecar},
		"PODPASS_TOKEN_URL":                          {value("http://127.0.0.1:9/oidc/v1/token"), sidecar, noSidecar},
		"PODPASS_TOKEN_SECRET":                       {uid, sidecar, noSidecar},

		"METADATA_SERVER_DETECTION": {value("assume-present"), broker, direct},
		"KUBECONFIG":                {value("/var/run/secrets/podpass.io/kubeconfig/config"), evidence{false, onceKube}, direct},
		"AZURE_CLIENT_ID":           {value("c"), broker, none},

		"AWS_ROLE_ARN":                            {value("arn:aws:iam::123456789012:role/web"), direct, broker},
		"AWS_ROLE_SESSION_NAME":                   {value("shop.web.p"), direct, broker},
		"AWS_WEB_IDENTITY_TOKEN_FILE":             {value("/var/run/secrets/eks.amazonaws.com/serviceaccount/token"), direct, broker},
		"AZURE_FEDERATED_TOKEN_FILE":              {value("/var/run/secrets/azure/wi/token/azure-identity-token"), direct, broker},
		"GOOGLE_APPLICATION_CREDENTIALS":          {value("/var/run/secrets/gcloud/config/federation.json"), direct, broker},
		"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE":  {value("/var/run/secrets/gcloud/config/federation.json"), direct, broker},
		"CLOUDSDK_CONFIG":                         {value("/var/run/secrets/gcloud/home"), direct, none},
		"CLOUDSDK_CONFIG beside the broker":       {value("/var/run/secrets/gcloud/config"), broker, none},
		"AZURE_CLIENT_ID of direct mode":          {value("c"), direct, none},
		"GCE_METADATA_HOST beside the annotation": {value("127.0.0.1:9"), broker, noSidecar},
	} {
		t.Run(variable, func(t *testing.T) {
			is := test.is
			is.Name, _, _ = strings.Cut(variable, " ")
			stays := func(by evidence, v corev1.EnvVar) bool {
				return len(replanned(t, by, corev1.Container{Name: "a", Env: []corev1.EnvVar{v}}).Env) == 1
			}
			if stays(test.by, is) {
				t.Errorf("%v stays", is)
			}
			if !stays(test.notBy, is) {
				t.Errorf("%v goes, which no plan wrote", is)
			}
			nowhere := is // as it would be for a sidecar without an address
			nowhere.Value = strings.ReplaceAll(is.Value, "127.0.0.1:9", "")
			mine := corev1.EnvVar{Name: is.Name, Value: is.Value + "x"}
			if strings.HasSuffix(variable, " of role") { // below the broker's path all are its roles
				mine.Value = "http://127.0.0.1:9/aws/v1/credentialsx/reader"
			}
			named := corev1.EnvVar{Name: is.Name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}
			if !stays(test.notBy, nowhere) || !stays(test.by, mine) || !stays(test.by, named) {
				t.Errorf("one of %v, %v and %v goes, which are the user's", nowhere, mine, named)
			}
		})
	}
}

// TestManyVariables: an earlier plan's are found wherever they are, and no others go.
func TestManyVariables(t *testing.T) {
	var env []corev1.EnvVar
	var want []string
	for i := range 120 {
		if i == 2 || i == 11 || i == 12 || i == 110 {
			env = append(env, corev1.EnvVar{Name: "GCE_METADATA_HOST", Value: "127.0.0.1:9"})
			continue
		}
		want = append(want, fmt.Sprint("V", i))
		env = append(env, corev1.EnvVar{Name: fmt.Sprint("V", i)})
	}
	var got []string
	for _, e := range replanned(t, evidence{true, ""}, corev1.Container{Name: "a", Env: env}).Env {
		got = append(got, e.Name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestLongAnnotationIsNotRead: podpass's own has some hundred bytes, and is read up to
// 16,384.
func TestLongAnnotationIsNotRead(t *testing.T) {
	for length, want := range map[int]int{16_384: 0, 16_385: 1} {
		by := evidence{false, onceDirect + strings.Repeat(" ", length-len(onceDirect))}
		role := corev1.EnvVar{Name: "AWS_ROLE_ARN", Value: "arn:aws:iam::123456789012:role/web"}
		if got := replanned(t, by, corev1.Container{Name: "a", Env: []corev1.EnvVar{role}}).Env; len(got) != want {
			t.Errorf("%d bytes: %v is left", length, got)
		}
	}
}

// TestNothingIsNotAnIdentity: an annotation that names none does not make an empty
// variable podpass's.
func TestNothingIsNotAnIdentity(t *testing.T) {
	empty := []corev1.EnvVar{{Name: "AWS_ROLE_ARN"}, {Name: "AZURE_CLIENT_ID"}}
	by := evidence{false, `{"aws":{"mode":"direct"},"azure":{"mode":"direct"}}`}
	if got := replanned(t, by, corev1.Container{Name: "a", Env: empty}).Env; !slices.EqualFunc(got, empty, func(a, b corev1.EnvVar) bool { return a.Name == b.Name }) {
		t.Errorf("%v is left", got)
	}
}

// TestBrokerOfSomebodyElse: a container of the sidecar's name alone leaves no address, and
// what leads to it is the user's.
func TestBrokerOfSomebodyElse(t *testing.T) {
	for variable, want := range map[string]int{"PODPASS_IDENTITIES": 0, "IDENTITIES": 1} {
		raw := []byte(`{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"podpass-broker","env":[{"name":"` + variable + `","value":"{}"},{"name":"PODPASS_LISTEN","value":"127.0.0.1:9"}]}],
			"containers":[{"name":"a","env":[{"name":"GCE_METADATA_HOST","value":"127.0.0.1:9"}]}]}}`)
		got := typed(t, apply(t, raw, plan(t, raw, benchAnswer(serviceaccount.ModeDirect, 1)).Patch)).Spec.Containers[0].Env
		if n := len(slices.DeleteFunc(got, func(e corev1.EnvVar) bool { return e.Name != "GCE_METADATA_HOST" })); n != want {
			t.Errorf("%s: %d of the variable, want %d", variable, n, want)
		}
	}
}

// TestEarlierPlansOldAzurePlace: the token's older place is podpass's choice where the
// other was taken by a mount of the user's, and else the user's.
func TestEarlierPlansOldAzurePlace(t *testing.T) {
	old := []corev1.EnvVar{{Name: "AZURE_FEDERATED_TOKEN_FILE", Value: "/var/run/secrets/azure/tokens/azure-identity-token"}}
	for name, test := range map[string]struct {
		volume, at string // of a mount
		by         evidence
		goes       bool
	}{
		"a mount of the user's at the other":        {"mine", "/var/run/secrets/azure/wi/token", evidence{false, onceDirect}, true},
		"podpass's own at the other":                {"azure-identity-token", "/var/run/secrets/azure/wi/token", evidence{false, onceDirect}, false},
		"none there":                                {"mine", "/somewhere", evidence{false, onceDirect}, false},
		"a mount of the user's, but in broker mode": {"mine", "/var/run/secrets/azure/wi/token", evidence{false, onceBroker}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := corev1.Container{Name: "a", Env: old, VolumeMounts: []corev1.VolumeMount{{Name: test.volume, MountPath: test.at}}}
			if got := replanned(t, test.by, c).Env; (len(got) == 0) != test.goes {
				t.Errorf("%v is left", got)
			}
		})
	}
}

// TestEarlierPlansMounts: a mount of podpass's goes with the plan that needed it; one of
// another volume stays, and one that the annotation does not tell of, where other
// webhooks have a volume of that name.
func TestEarlierPlansMounts(t *testing.T) {
	direct, broker, none := evidence{false, onceDirect}, evidence{true, onceBroker}, evidence{true, onceNone}
	always := evidence{}
	file := func(variable, at string) []corev1.EnvVar { return []corev1.EnvVar{{Name: variable, Value: at}} }
	for name, test := range map[string]struct {
		volume, at string
		env        []corev1.EnvVar
		by, notBy  evidence // notBy: always, where the volume's name alone tells
	}{
		"aws":                         {"aws-iam-token", "/var/run/secrets/eks.amazonaws.com/serviceaccount", nil, direct, broker},
		"aws, at the container's own": {"aws-iam-token", "/own", file("AWS_WEB_IDENTITY_TOKEN_FILE", "/own/token"), direct, broker},
		"gcp":                         {"gcp-iam-token", "/var/run/secrets/sts.googleapis.com/serviceaccount", nil, direct, broker},
		"gcp's configuration":         {"podpass-gcp-config", "/var/run/secrets/gcloud/config", nil, direct, always},
		"gcloud's home":               {"gcloud-config", "/var/run/secrets/gcloud/home", nil, direct, none},
		"gcloud's home at the broker": {"gcloud-config", "/var/run/secrets/gcloud/config", nil, broker, none},
		"kube":                        {"podpass-kube-tokens", "/var/run/secrets/podpass.io/kube", nil, direct, always},
		"kube's configuration":        {"podpass-kubeconfig", "/var/run/secrets/podpass.io/kubeconfig", nil, direct, always},
		"azure":                       {"azure-identity-token", "/var/run/secrets/azure/wi/token", nil, direct, broker},
		"azure's old place":           {"azure-identity-token", "/var/run/secrets/azure/tokens", nil, direct, broker},
		"azure, at its own":           {"azure-identity-token", "/own", file("AZURE_FEDERATED_TOKEN_FILE", "/own/azure-identity-token"), direct, broker},
	} {
		t.Run(name, func(t *testing.T) {
			stays := func(by evidence, volume string, env []corev1.EnvVar) bool {
				c := replanned(t, by, corev1.Container{Name: "a", Env: env, VolumeMounts: []corev1.VolumeMount{{Name: volume, MountPath: test.at}}})
				return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == test.at })
			}
			if stays(test.by, test.volume, test.env) {
				t.Error("stays")
			}
			if test.notBy != always && !stays(test.notBy, test.volume, test.env) {
				t.Error("goes, though no plan of podpass's put it there")
			}
			if !stays(test.by, "mine", test.env) {
				t.Error("the user's goes")
			}
			if test.env != nil && !stays(test.by, test.volume, nil) {
				t.Error("goes from a place that no variable names")
			}
		})
	}
}
