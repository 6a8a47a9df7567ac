package statickeys

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/federation/statickey"
)

// clusterKeys are what lets somebody into a cluster.
func clusterKeys(namespace string) []draft {
	const name = "cluster-token"
	token := legacyToken(namespace, name)
	return []draft{{
		name: name, workload: "PodTemplate", ownAccount: true,
		secret: map[string]string{"token": token, "namespace": namespace}, secretType: corev1.SecretTypeServiceAccountToken,
		pod:   pod{mount: mount{"/var/run/secrets/deployer", secretVolume}},
		found: found{cloud: "kubernetes", kind: statickey.KubernetesToken, id: serviceAccountUser(namespace, name), secrets: []string{token, signatureOf(token)}},
		in:    "Secret", key: "token",
	}}
}

// signatureOf a JWT, without which it is of no use.
func signatureOf(token string) string { return token[strings.LastIndex(token, ".")+1:] }
