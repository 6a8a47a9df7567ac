package inject

import (
	"fmt"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// benchPod is a pod of common size: three containers with 15 variables and 3
// mounts each, 4 volumes; about 8 KiB.
func benchPod() []byte {
	var containers []string
	for i := range 3 {
		var env, mounts []string
		for j := range 15 {
			env = append(env, fmt.Sprintf(`{"name":"SETTING_%d","value":"some value of common length %d"}`, j, j))
		}
		for j := range 3 {
			mounts = append(mounts, fmt.Sprintf(`{"name":"volume-%d","mountPath":"/mnt/volume-%d","readOnly":true}`, j, j))
		}
		containers = append(containers, fmt.Sprintf(`{"name":"container-%d","image":"registry.example.com/team/app:v1.2.%d","imagePullPolicy":"IfNotPresent",
			"env":[%s],"volumeMounts":[%s],"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m","memory":"256Mi"}},
			"livenessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"periodSeconds":10,"failureThreshold":3},
			"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true},
			"ports":[{"containerPort":8080,"protocol":"TCP"}],"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}`,
			i, i, strings.Join(env, ","), strings.Join(mounts, ",")))
	}
	return []byte(fmt.Sprintf(`{"kind":"Pod","apiVersion":"v1","metadata":{"generateName":"web-7d9f-","namespace":"shop","labels":{"app":"web","pod-template-hash":"7d9f"}},
		"spec":{"serviceAccountName":"web","containers":[%s],"volumes":[{"name":"volume-0","emptyDir":{}},{"name":"volume-1","configMap":{"name":"c","defaultMode":420}},
		{"name":"volume-2","secret":{"secretName":"s","defaultMode":420}}],"restartPolicy":"Always","dnsPolicy":"ClusterFirst","schedulerName":"default-scheduler"}}`,
		strings.Join(containers, ",")))
}

func benchAnswer(mode serviceaccount.Mode, clouds int) serviceaccount.Answer {
	g := serviceaccount.Grant{Mode: mode, TokenExpiration: 3600, Source: "annotation"}
	a := serviceaccount.Answer{AWS: &serviceaccount.AWS{Grant: g, Identity: aws.Identity{RoleARN: "arn:aws:iam::123456789012:role/web", Audience: "sts.amazonaws.com"}}}
	if clouds > 1 {
		a.GCP = &serviceaccount.GCP{Grant: g, Identity: gcp.Identity{Provider: "//iam.googleapis.com/x", Audience: "//iam.googleapis.com/x", Project: "p"}}
		a.Azure = &serviceaccount.Azure{Grant: g, Identity: azure.Identity{ClientID: "c", TenantID: "t", Audience: "api://AzureADTokenExchange"}}
	}
	return a
}

func BenchmarkPlan(b *testing.B) {
	pod := benchPod()
	bench := func(name string, a serviceaccount.Answer) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(pod)))
			for b.Loop() {
				p, err := Decode(pod)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Plan(p, a, testSettings); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
		for _, clouds := range []int{1, 3} {
			bench(fmt.Sprintf("mode=%s/clouds=%d/containers=3", mode, clouds), benchAnswer(mode, clouds))
		}
	}
	bench("nothing asked", serviceaccount.Answer{})
}
