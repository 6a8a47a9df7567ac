package statickeys

import (
	"crypto/x509"

	corev1 "k8s.io/api/core/v1"
)

// decoyCertificates are certificates and keys that open no cloud.
func decoyCertificates() []draft {
	key := newPrivateKey()
	// As `ssh-keygen -m PEM` writes it.
	sshKey := encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(newPrivateKey().PrivateKey))
	return []draft{
		{
			name: "public-certificate", workload: "CronJob",
			configMap: map[string]string{"ca.crt": key.certificate("ca.example.com")},
			pod:       pod{mount: mount{"/etc/ca", configMapVolume}, variables: []variable{{name: "SSL_CERT_FILE", value: "/etc/ca/ca.crt"}}},
			in:        "ConfigMap", key: "ca.crt",
		},
		{
			name: "public-key", workload: "ReplicaSet",
			configMap: map[string]string{"licence.pub": key.publicPEM()},
			pod:       pod{mount: mount{"/etc/licence", configMapVolume}},
			in:        "ConfigMap", key: "licence.pub",
		},
		{
			name: "tls", workload: "ReplicationController", ownAccount: true,
			secret: map[string]string{"tls.crt": key.certificate("shop.example.com"), "tls.key": key.pem}, secretType: corev1.SecretTypeTLS,
			pod:   pod{mount: mount{"/etc/tls", secretVolume}},
			found: found{secrets: pemLines(key.pem)}, in: "Secret", key: "tls.key",
		},
		{
			name: "ssh-key", workload: "Pod",
			secret: map[string]string{"ssh-privatekey": sshKey}, secretType: corev1.SecretTypeSSHAuth,
			pod:   pod{inInit: true, mount: mount{"/root/.ssh", secretVolume}},
			found: found{secrets: pemLines(sshKey)}, in: "Secret", key: "ssh-privatekey",
		},
	}
}
