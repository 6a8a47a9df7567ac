package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
)

const (
	// inClusterServer is the pod's own API server by its name in the cluster's DNS: see
	// [Located].
	inClusterServer = "https://kubernetes.default.svc"

	// Where Kubernetes mounts a pod's own token for its API server, and the CA.
	inClusterToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	inClusterCA    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
)

// What is used here of a kubeconfig. client-go's own types write empty fields, and are
// not for the broker's import graph.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server string `json:"server"`
		CAData []byte `json:"certificate-authority-data,omitempty"` // base64, as bytes are in JSON
		CAFile string `json:"certificate-authority,omitempty"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		TokenFile string `json:"tokenFile"`
		// The same, as the JavaScript client has it, which knows no other name.
		OtherTokenFile string `json:"token-file"`
	} `json:"user"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster   string `json:"cluster"`
		User      string `json:"user"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"context"`
}

// Kubeconfig is one that holds no secret: a context for each cluster, by its name, with
// the token of tokenDir that has the cluster's name. The first is the current one.
// namespace is the pod's, for contexts that have none of their own. It is JSON, which is
// YAML too, and the same each time.
func Kubeconfig(clusters []Cluster, tokenDir, namespace string) ([]byte, error) {
	k := kubeconfig{APIVersion: "v1", Kind: "Config"}
	for _, c := range clusters {
		at, as, in := namedCluster{Name: c.Name}, namedUser{Name: c.Name}, namedContext{Name: c.Name}
		at.Cluster.Server, at.Cluster.CAData, as.User.TokenFile = c.Server, []byte(c.CABundle), tokenDir+"/"+c.Name
		if c.Name == InCluster {
			at.Cluster.Server, at.Cluster.CAFile, as.User.TokenFile = inClusterServer, inClusterCA, inClusterToken
		}
		as.User.OtherTokenFile = as.User.TokenFile
		in.Context.Cluster, in.Context.User, in.Context.Namespace = c.Name, c.Name, c.Namespace
		if c.Namespace == "" {
			in.Context.Namespace = namespace
		}
		k.Clusters, k.Users, k.Contexts = append(k.Clusters, at), append(k.Users, as), append(k.Contexts, in)
	}
	if len(clusters) > 0 {
		k.CurrentContext = clusters[0].Name
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // of whose characters each would be six
	if err := e.Encode(k); err != nil {
		return nil, fmt.Errorf("encode the kubeconfig: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Located is a kubeconfig of [Kubeconfig] with the pod's own API server at the address
// that its environment names. Clients in clusters go by that one, and it needs no DNS:
// hostNetwork pods have the node's. Text without that server is left as it is.
func Located(kubeconfig string, getenv func(string) string) string {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return kubeconfig
	}
	const server = `"server":"`
	return strings.ReplaceAll(kubeconfig, server+inClusterServer+`"`, server+"https://"+net.JoinHostPort(host, port)+`"`)
}
