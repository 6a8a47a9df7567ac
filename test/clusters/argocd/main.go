// Argocd reads a cluster Secret of Argo CD from standard input, has Argo CD's own code make
// a client of it, as its controllers do, and prints who the cluster says that the client is.
//
// It is a module of its own, since Argo CD pins another Kubernetes than podpass.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	raw, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var secret struct {
		StringData struct{ Name, Server, Config string }
	}
	if err := yaml.Unmarshal(raw, &secret); err != nil {
		return err
	}
	c := v1alpha1.Cluster{Name: secret.StringData.Name, Server: secret.StringData.Server}
	if c.Server == "" || secret.StringData.Config == "" {
		return errors.New("the Secret has no server and config")
	}
	if err := json.Unmarshal([]byte(secret.StringData.Config), &c.Config); err != nil {
		return err
	}
	config, err := c.RawRestConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	review, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(review.Status.UserInfo)
}
