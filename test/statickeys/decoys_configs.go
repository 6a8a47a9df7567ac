package statickeys

import (
	"encoding/base64"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// decoyConfigs are configurations of clients, without a static key of a cloud or a cluster.
func decoyConfigs() []draft {
	ecr, other := mixed64(900), text(32, upper+lower+digits)
	return []draft{
		pullSecret("pull-ecr", "Cluster", "111122223333.dkr.ecr.eu-central-1.amazonaws.com", "AWS", ecr),
		pullSecret("pull-other", "Deployment", "registry.example.com", "orders", other),
		{
			name: "kubeconfig-exec", workload: "StatefulSet", ownAccount: true,
			secret: map[string]string{"config": execKubeconfig()},
			pod:    pod{mount: mount{"/root/.kube", secretVolume}, variables: []variable{{name: "KUBECONFIG", value: "/root/.kube/config"}}},
			in:     "Secret", key: "config",
		},
	}
}

// pullSecret is a decoy that pulls its image with a user and password.
func pullSecret(name, workload, host, user, password string) draft {
	both := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	entry := map[string]string{"username": user, "password": password, "auth": both}
	config := must(json.Marshal(map[string]any{"auths": map[string]any{host: entry}}))
	return draft{
		name: name, workload: workload, ownAccount: true,
		secret: map[string]string{corev1.DockerConfigJsonKey: string(config)}, secretType: corev1.SecretTypeDockerConfigJson,
		pod:   pod{pull: true},
		found: found{secrets: []string{password, both}}, in: "Secret", key: corev1.DockerConfigJsonKey,
	}
}

// execKubeconfig is one whose user has a command that fetches a token each time.
func execKubeconfig() string {
	cluster := map[string]any{
		"server":                     "https://kube.example.com:6443",
		"certificate-authority-data": base64.StdEncoding.EncodeToString([]byte(newPrivateKey().certificate("kube"))),
	}
	exec := map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "args": []string{"eks", "get-token", "--cluster-name", "shop"}, "interactiveMode": "Never",
	}
	return string(must(yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "shop",
		"clusters": []any{map[string]any{"name": "shop", "cluster": cluster}},
		"contexts": []any{map[string]any{"name": "shop", "context": map[string]any{"cluster": "shop", "user": "shop"}}},
		"users":    []any{map[string]any{"name": "shop", "user": map[string]any{"exec": exec}}},
	})))
}
